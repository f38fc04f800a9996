import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import { storeToken } from '../../api/session.ts'
import type { SignedIn } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, FormError, Input, SecretInput } from '../../ui/field.tsx'
import { AuthFrame, AuthLink, Notice } from './auth-frame.tsx'
import { Captcha } from './captcha.tsx'
import { forgetReferral, referralCode } from './referral.ts'
import { emailProblem, passwordProblem, usernameProblem } from './rules.ts'
import { CodeField } from './send-code.tsx'

export function RegisterPage() {
  const t = useT()
  const { name, settings } = useSite()
  return (
    <AuthFrame title={t('auth.registerTitle', { site: name })} lead={t('auth.registerLead')}>
      {settings.password_registration_enabled === false ? <Notice>{t('auth.closed')}</Notice> : <RegisterForm />}
      <AuthLink k="auth.haveAccount" to="/login" />
    </AuthFrame>
  )
}

function RegisterForm() {
  const t = useT()
  const errorText = useErrorText()
  const { settings } = useSite()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [form, setForm] = useState({ username: '', email: '', email_code: '', password: '' })
  const [captcha, setCaptcha] = useState<string>()
  const [round, setRound] = useState(0)
  const [checked, setChecked] = useState(false)
  const invited = settings.referral_enabled === true ? referralCode() : ''
  const withCode = settings.email_verification_required === true
  const withCaptcha = settings.password_hcaptcha_enabled === true
  const captchaUsed = () => {
    setCaptcha(undefined)
    setRound(round + 1)
  }
  const problems: Partial<Record<keyof typeof form, string>> = {
    username: usernameProblem(t, form.username),
    email: emailProblem(t, form.email),
    email_code: withCode && form.email_code.trim() === '' ? t('auth.codeMissing') : undefined,
    password: passwordProblem(t, form.password),
  }
  // The mail's code stands for the captcha that was solved to get it.
  const captchaMissing = withCaptcha && captcha === undefined ? t('auth.captchaMissing') : undefined
  const register = useMutation({
    mutationFn: () =>
      call<SignedIn>('POST', '/auth/password/register', {
        body: {
          username: form.username.trim(),
          email: form.email.trim(),
          password: form.password,
          email_code: form.email_code.trim(),
          captcha_token: captcha,
          referral_code: invited,
        },
      }),
    onSuccess: async ({ token }) => {
      storeToken(token)
      forgetReferral()
      client.clear()
      await navigate({ to: '/dashboard' })
    },
    onError: captchaUsed,
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setChecked(true)
    const wrong = Object.entries(problems).find(([, problem]) => problem !== undefined)
    if (wrong) return event.currentTarget.querySelector<HTMLInputElement>(`[name="${wrong[0]}"]`)?.focus()
    if (withCode || captchaMissing === undefined) register.mutate()
  }
  // From what is there now: a password manager fills several fields before React renders once.
  const bind = (field: keyof typeof form) => ({
    name: field,
    value: form[field],
    onChange: (event: { target: { value: string } }) => setForm((now) => ({ ...now, [field]: event.target.value })),
  })
  const shown = (field: keyof typeof form) => (checked ? problems[field] : undefined)
  return (
    <form onSubmit={submit} noValidate className="space-y-4" action="/register" method="post">
      {register.isError && <FormError>{errorText(register.error)}</FormError>}
      <Field label={t('auth.username')} error={shown('username')}>
        <Input {...bind('username')} maxLength={100} autoComplete="username" autoCapitalize="none" spellCheck={false} />
      </Field>
      <Field label={t('auth.email')} error={shown('email')}>
        <Input {...bind('email')} type="email" maxLength={100} autoComplete="email" />
      </Field>
      <Captcha key={round} onToken={setCaptcha} />
      {withCode && (
        <CodeField
          path="/auth/password/email-code"
          email={form.email}
          captchaToken={captcha}
          onSent={captchaUsed}
          value={form.email_code}
          onValue={(email_code) => setForm((now) => ({ ...now, email_code }))}
          error={shown('email_code')}
          notReady={problems.email ?? captchaMissing}
        />
      )}
      <Field label={t('auth.password')} help={t('auth.passwordHelp')} error={shown('password')}>
        <SecretInput {...bind('password')} autoComplete="new-password" />
      </Field>
      {invited !== '' && <p className="text-[13px] text-ink-2">{t('auth.invited', { code: invited })}</p>}
      {checked && !withCode && captchaMissing !== undefined && <p className="text-[13px] text-bad">{captchaMissing}</p>}
      <Button type="submit" variant="primary" className="w-full" busy={register.isPending}>
        {t('auth.register')}
      </Button>
    </form>
  )
}
