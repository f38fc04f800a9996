import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { ApiError, call } from '../../api/http.ts'
import { storeToken } from '../../api/session.ts'
import type { SignedIn } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, FormError, Input, SecretInput } from '../../ui/field.tsx'
import { Captcha } from './captcha.tsx'
import { SecondFactorForm } from './second-factor-form.tsx'

/** Name or e-mail and password; stores the session. */
export function SignInForm({ onDone }: { onDone(): Promise<void> | void }) {
  const t = useT()
  const errorText = useErrorText()
  const [identifier, setIdentifier] = useState('')
  const [password, setPassword] = useState('')
  const [captcha, setCaptcha] = useState<string>()
  const [round, setRound] = useState(0)
  /** Of the second factor, once the password was right. */
  const [challenge, setChallenge] = useState<string>()
  const finish = async ({ token }: SignedIn) => {
    storeToken(token)
    await onDone()
  }
  const signIn = useMutation({
    mutationFn: () =>
      call<SignedIn>('POST', '/auth/password/login', { body: { identifier: identifier.trim(), password, captcha_token: captcha } }),
    onSuccess: finish,
    onError: (error) => {
      if (error instanceof ApiError && error.code === 'second_factor_required') setChallenge(String(error.details.challenge))
      setCaptcha(undefined)
      setRound(round + 1)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate()
  }
  if (challenge !== undefined)
    return (
      <SecondFactorForm
        challenge={challenge}
        onDone={(signedIn) => void finish(signedIn)}
        onBack={() => {
          setChallenge(undefined)
          setPassword('')
          signIn.reset()
        }}
      />
    )
  return (
    <form onSubmit={submit} className="space-y-4" action="/login" method="post">
      {signIn.isError && <FormError>{errorText(signIn.error)}</FormError>}
      <Field label={t('auth.identifier')}>
        <Input
          name="identifier"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={identifier}
          onChange={(event) => setIdentifier(event.target.value)}
        />
      </Field>
      <Field label={t('auth.password')}>
        <SecretInput
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <Captcha key={round} onToken={setCaptcha} />
      <Button type="submit" variant="primary" className="w-full" busy={signIn.isPending}>
        {t('auth.signIn')}
      </Button>
    </form>
  )
}
