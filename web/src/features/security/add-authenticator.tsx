import { useMutation } from '@tanstack/react-query'
import { useId, useState, type FormEvent } from 'react'
import { encode } from 'uqr'
import { call } from '../../api/http.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { Rich, useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, FormError, Input } from '../../ui/field.tsx'
import { isFault, useStepUp } from './step-up.tsx'

interface Props {
  made: { secret: string; otpauth_url: string }
  onClose(): void
  /** With the recovery codes. */
  onDone(codes: readonly string[]): Promise<void>
}

/** The secret as a picture for the app's camera, as a link for the app on this phone, and as letters to type. */
export function AddAuthenticator({ made, onClose, onDone }: Props) {
  const t = useT()
  const errorText = useErrorText()
  const stepUp = useStepUp()
  const formId = useId()
  const [code, setCode] = useState('')
  const confirm = useMutation({
    mutationFn: () => stepUp(() => call<{ recovery_codes: string[] }>('POST', '/api/user/second-factor/totp/confirm', { body: { code } })),
    onSuccess: ({ recovery_codes: codes }) => onDone(codes),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    confirm.mutate()
  }
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('security.setUpTitle')}
      description={t('security.scan')}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="submit" form={formId} variant="primary" busy={confirm.isPending}>
            {t('security.switchOn')}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit} className="space-y-4">
        {confirm.isError && isFault(confirm.error) && <FormError>{errorText(confirm.error)}</FormError>}
        <QrCode text={made.otpauth_url} label={t('security.qrLabel')} />
        <p className="text-center text-[13px] text-ink-2">
          <Rich k="security.openApp" parts={opensApp(made.otpauth_url)} />
        </p>
        <div className="flex items-center justify-between gap-3 rounded-lg border border-line bg-sunken px-3.5 py-2">
          <code translate="no" data-testid="totp-secret" className="text-[13px] break-all select-all">
            {made.secret}
          </code>
          <CopyButton text={made.secret} label={t('common.copy')} />
        </div>
        <Field label={t('security.codeOfApp')}>
          <Input
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={10}
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </Field>
      </form>
    </Dialog>
  )
}

function opensApp(url: string) {
  return {
    link: (text: string) => (
      <a href={url} className="font-medium text-accent hover:underline">
        {text}
      </a>
    ),
  }
}

/** Black on white in every theme: cameras want it so. */
function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: 2 })
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      className="mx-auto size-44 rounded-lg bg-white"
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000" />
    </svg>
  )
}
