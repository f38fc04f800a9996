import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import { dropToken } from '../../api/session.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, FormError, Input, SecretInput } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { AuthFrame, AuthLink, Notice } from './auth-frame.tsx'
import { Captcha } from './captcha.tsx'
import { emailProblem, passwordProblem } from './rules.ts'
import { CodeField } from './send-code.tsx'

export function ResetPage() {
  const t = useT()
  const { settings } = useSite()
  return (
    <AuthFrame title={t('auth.resetTitle')} lead={t('auth.resetLead')}>
      {settings.mail_enabled === true ? <ResetForm /> : <Notice>{t('auth.resetOff')}</Notice>}
      <AuthLink k="auth.haveAccount" to="/login" />
    </AuthFrame>
  )
}

function ResetForm() {
  const t = useT()
  const errorText = useErrorText()
  const { settings } = useSite()
  const navigate = useNavigate()
  const [form, setForm] = useState({ email: '', email_code: '', new_password: '' })
  const [captcha, setCaptcha] = useState<string>()
  const [round, setRound] = useState(0)
  const [checked, setChecked] = useState(false)
  const captchaMissing = settings.password_hcaptcha_enabled === true && captcha === undefined ? t('auth.captchaMissing') : undefined
  const problems: Record<keyof typeof form, string | undefined> = {
    email: emailProblem(t, form.email),
    email_code: form.email_code.trim() === '' ? t('auth.codeMissing') : undefined,
    new_password: passwordProblem(t, form.new_password),
  }
  const reset = useMutation({
    mutationFn: () =>
      call('POST', '/auth/password/reset', {
        body: { email: form.email.trim(), email_code: form.email_code.trim(), new_password: form.new_password },
      }),
    onSuccess: async () => {
      dropToken()
      toast(t('auth.resetDone'))
      await navigate({ to: '/login' })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setChecked(true)
    const wrong = Object.entries(problems).find(([, problem]) => problem !== undefined)
    if (!wrong) return reset.mutate()
    event.currentTarget.querySelector<HTMLInputElement>(`[name="${wrong[0]}"]`)?.focus()
  }
  const shown = (field: keyof typeof form) => (checked ? problems[field] : undefined)
  return (
    <form onSubmit={submit} noValidate className="space-y-4" action="/reset" method="post">
      {reset.isError && <FormError>{errorText(reset.error)}</FormError>}
      <Field label={t('auth.email')} error={shown('email')}>
        <Input
          name="email"
          type="email"
          maxLength={100}
          autoComplete="email"
          value={form.email}
          onChange={(event) => setForm((now) => ({ ...now, email: event.target.value }))}
        />
      </Field>
      <Captcha key={round} onToken={setCaptcha} />
      <CodeField
        path="/auth/password/reset-code"
        email={form.email}
        captchaToken={captcha}
        onSent={() => {
          setCaptcha(undefined)
          setRound(round + 1)
        }}
        value={form.email_code}
        onValue={(email_code) => setForm((now) => ({ ...now, email_code }))}
        error={shown('email_code')}
        notReady={problems.email ?? captchaMissing}
      />
      <Field label={t('auth.newPassword')} help={t('auth.passwordHelp')} error={shown('new_password')}>
        <SecretInput
          name="new_password"
          autoComplete="new-password"
          value={form.new_password}
          onChange={(event) => setForm((now) => ({ ...now, new_password: event.target.value }))}
        />
      </Field>
      <Button type="submit" variant="primary" className="w-full" busy={reset.isPending}>
        {t('auth.reset')}
      </Button>
    </form>
  )
}
