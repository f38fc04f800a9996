import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { call } from '../../api/http.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, Input } from '../../ui/field.tsx'

/** A mail takes a while; the server takes three in ten minutes. */
const AGAIN_SECONDS = 60

interface CodeFieldProps {
  path: '/auth/password/email-code' | '/auth/password/reset-code' | '/api/user/password/email-code'
  email: string
  captchaToken: string | undefined
  /** The captcha is used up with each mail. */
  onSent(): void
  value: string
  onValue(code: string): void
  error: string | undefined
  /** Says why nothing can be sent yet, or undefined. */
  notReady: string | undefined
}

/** The code from a mail, and the button that has it sent. */
export function CodeField({ path, email, captchaToken, onSent, value, onValue, error, notReady }: CodeFieldProps) {
  const t = useT()
  const errorText = useErrorText()
  const [left, setLeft] = useState(0)
  const [fault, setFault] = useState<string>()
  const send = useMutation({
    mutationFn: () => call('POST', path, { body: { email: email.trim(), captcha_token: captchaToken } }),
    onSuccess: () => setLeft(AGAIN_SECONDS),
    onSettled: onSent,
  })
  useEffect(() => {
    if (left === 0) return undefined
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])
  const press = () => {
    setFault(notReady)
    if (notReady === undefined) send.mutate()
  }
  return (
    <div>
      <Field
        label={t('auth.emailCode')}
        help={send.isSuccess ? t('auth.codeSent', { email: email.trim() }) : t('auth.emailCodeHelp')}
        error={fault ?? error ?? (send.isError ? errorText(send.error) : undefined)}
      >
        <div className="flex gap-2">
          <Input
            name="email_code"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            value={value}
            onChange={(event) => {
              setFault(undefined)
              onValue(event.target.value)
            }}
          />
          <Button className="shrink-0" disabled={left > 0} busy={send.isPending} onClick={press}>
            {left > 0 ? t('auth.sendAgain', { seconds: left }) : t('auth.sendCode')}
          </Button>
        </div>
      </Field>
      <p role="status" className="sr-only">
        {send.isSuccess ? t('auth.codeSent', { email: email.trim() }) : ''}
      </p>
    </div>
  )
}
