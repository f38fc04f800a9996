import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import { passwordMethodQuery } from '../../api/queries.ts'
import { dropToken } from '../../api/session.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, FormError, SecretInput } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { toast } from '../../ui/toast.tsx'
import { CodeField } from '../auth/send-code.tsx'
import { passwordProblem } from '../auth/rules.ts'

/** A new password, proven by a mailed code or by the current one; every session ends with it. */
export function PasswordCard() {
  const t = useT()
  const errorText = useErrorText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const method = useQuery(passwordMethodQuery)
  const [form, setForm] = useState({ current: '', code: '', next: '' })
  const [checked, setChecked] = useState(false)
  const byMail = method.data?.method === 'email_code'
  const problem = passwordProblem(t, form.next)
  const change = useMutation({
    mutationFn: () =>
      call('POST', '/api/user/password/change', {
        body: { new_password: form.next, ...(byMail ? { email_code: form.code.trim() } : { current_password: form.current }) },
      }),
    onSuccess: async () => {
      dropToken()
      toast(t('auth.resetDone'))
      await navigate({ to: '/login', search: {} })
      client.clear()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setChecked(true)
    if (problem === undefined) change.mutate()
  }
  return (
    <Card title={t('auth.password')}>
      {method.isPending && <SkeletonRows />}
      {method.isError && <ErrorPanel error={method.error} onRetry={() => void method.refetch()} />}
      {method.data && (
        <form onSubmit={submit} className="max-w-md space-y-4 p-5">
          {change.isError && <FormError>{errorText(change.error)}</FormError>}
          {byMail ? (
            <CodeField
              path="/api/user/password/email-code"
              email={method.data.email}
              captchaToken={undefined}
              onSent={() => undefined}
              value={form.code}
              onValue={(code) => setForm((now) => ({ ...now, code }))}
              error={undefined}
              notReady={undefined}
            />
          ) : (
            method.data.password_set && (
              <Field label={t('security.currentPassword')}>
                <SecretInput
                  name="current_password"
                  autoComplete="current-password"
                  required
                  value={form.current}
                  onChange={(event) => setForm((now) => ({ ...now, current: event.target.value }))}
                />
              </Field>
            )
          )}
          <Field label={t('auth.newPassword')} help={t('security.passwordHelp')} error={checked ? problem : undefined}>
            <SecretInput
              name="new_password"
              autoComplete="new-password"
              required
              value={form.next}
              onChange={(event) => setForm((now) => ({ ...now, next: event.target.value }))}
            />
          </Field>
          <Button type="submit" variant="primary" busy={change.isPending}>
            {t('security.changePassword')}
          </Button>
        </form>
      )}
    </Card>
  )
}
