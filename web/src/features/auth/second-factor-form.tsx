import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import type { SignedIn } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, FormError, Input } from '../../ui/field.tsx'

/** Ends a sign-in whose password was right, with a code of the app or a recovery code. */
export function SecondFactorForm({ challenge, onDone, onBack }: { challenge: string; onDone(signedIn: SignedIn): void; onBack(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const [code, setCode] = useState('')
  const finish = useMutation({
    mutationFn: () => call<SignedIn>('POST', '/auth/second-factor', { body: { challenge, code } }),
    onSuccess: onDone,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    finish.mutate()
  }
  return (
    <form onSubmit={submit} className="space-y-4" action="/login" method="post">
      {finish.isError && <FormError>{errorText(finish.error)}</FormError>}
      <p className="text-ink-2">{t('security.codeText')}</p>
      <Field label={t('security.code')}>
        <Input
          name="code"
          autoComplete="one-time-code"
          autoFocus
          required
          maxLength={40}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </Field>
      <Button type="submit" variant="primary" className="w-full" busy={finish.isPending}>
        {t('auth.signIn')}
      </Button>
      <Button variant="quiet" className="w-full" onClick={onBack}>
        {t('security.back')}
      </Button>
    </form>
  )
}
