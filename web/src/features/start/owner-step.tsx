import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { ApiError, call } from '../../api/http.ts'
import { storeToken } from '../../api/session.ts'
import type { SignedIn } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, FormError, Input, SecretInput } from '../../ui/field.tsx'
import { Heading } from '../../ui/page.tsx'

/** The rules of contract.md 3.1, said before the server has to; bcrypt-style hashes see 72 bytes at most. */
const MIN_NAME = 3
const MIN_PASSWORD_BYTES = 8
const MAX_PASSWORD_BYTES = 72

/** The form's content; the page keeps it, so that a missing link costs nothing typed. */
export interface OwnerDraft {
  site_name: string
  username: string
  email: string
  password: string
}

interface OwnerStepProps {
  draft: OwnerDraft
  onDraft(draft: OwnerDraft): void
  onDone(siteName: string): void
  onLinkMissing(): void
}

/** Names the site and makes the owner's account; this is what turns a fresh server into somebody's. */
export function OwnerStep({ draft: form, onDraft: setForm, onDone, onLinkMissing }: OwnerStepProps) {
  const t = useT()
  const errorText = useErrorText()
  const [checked, setChecked] = useState(false)
  const bytes = new TextEncoder().encode(form.password).length
  const problems = {
    site_name: form.site_name.trim() === '' ? t('start.owner.siteMissing') : undefined,
    username: form.username.trim().length < MIN_NAME ? t('start.owner.usernameShort') : undefined,
    email: /^[^@\s]+@[^@\s]+$/.test(form.email.trim()) ? undefined : t('start.owner.emailWrong'),
    password:
      bytes < MIN_PASSWORD_BYTES ? t('start.owner.passwordShort') : bytes > MAX_PASSWORD_BYTES ? t('start.owner.passwordLong') : undefined,
  }
  const create = useMutation({
    mutationFn: () =>
      call<SignedIn>('POST', '/api/setup', {
        body: { site_name: form.site_name.trim(), username: form.username.trim(), email: form.email.trim(), password: form.password },
      }),
    onSuccess: ({ token }) => {
      storeToken(token)
      onDone(form.site_name.trim())
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return
      if (error.code === 'setup_link_required') onLinkMissing()
      // Somebody was faster: the page that asks for a sign-in is the right one now.
      if (error.code === 'setup_complete') location.assign('/login')
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setChecked(true)
    const wrong = Object.entries(problems).find(([, problem]) => problem !== undefined)
    if (!wrong) return create.mutate()
    event.currentTarget.querySelector<HTMLInputElement>(`[name="${wrong[0]}"]`)?.focus()
  }
  const bind = (name: keyof typeof form) => ({
    name,
    value: form[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  })
  const shown = (name: keyof typeof form) => (checked ? problems[name] : undefined)
  return (
    <form onSubmit={submit} noValidate>
      <Heading title={t('start.owner.title')} />
      <p className="mt-2 mb-7 max-w-xl text-ink-2">{t('start.owner.lead')}</p>
      <div className="grid max-w-lg gap-5">
        {create.isError && <FormError>{errorText(create.error)}</FormError>}
        <Field label={t('start.owner.site')} help={t('start.owner.siteHelp')} error={shown('site_name')}>
          <Input {...bind('site_name')} maxLength={80} autoComplete="organization" />
        </Field>
        <Field label={t('start.owner.username')} error={shown('username')}>
          <Input {...bind('username')} maxLength={100} autoComplete="username" autoCapitalize="none" spellCheck={false} />
        </Field>
        <Field label={t('start.owner.email')} error={shown('email')}>
          <Input {...bind('email')} type="email" maxLength={100} autoComplete="email" />
        </Field>
        <Field label={t('auth.password')} help={t('start.owner.passwordHelp')} error={shown('password')}>
          <SecretInput {...bind('password')} autoComplete="new-password" />
        </Field>
        <div>
          <Button type="submit" variant="primary" busy={create.isPending}>
            {t('start.owner.submit')}
          </Button>
        </div>
      </div>
    </form>
  )
}
