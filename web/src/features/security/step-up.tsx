import { useMutation, useQuery } from '@tanstack/react-query'
import { Fingerprint } from 'lucide-react'
import { createContext, use, useCallback, useState, type FormEvent, type ReactNode } from 'react'
import { ApiError, call } from '../../api/http.ts'
import type { ReauthOptions } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, FormError, Input, SecretInput } from '../../ui/field.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { PasskeyCancelled, passkeysWork, signWithPasskey } from './webauthn.ts'

/** The person did not confirm; what was begun is not done, and nothing is wrong. */
export class NotConfirmed extends Error {
  override readonly name = 'NotConfirmed'
}

/** Whether a failed action is worth a message: closing a window is none. */
export function isFault(error: unknown): boolean {
  return error !== null && !(error instanceof NotConfirmed) && !(error instanceof PasskeyCancelled)
}

type Run = <T>(work: () => Promise<T>) => Promise<T>
const Context = createContext<Run>((work) => work())

/** Runs a call; where the server wants to know first that it is really the person, asks and runs it again. @throws NotConfirmed */
export function useStepUp(): Run {
  return use(Context)
}

interface Waiting {
  confirmed(): void
  refused(error: Error): void
}

/** Holds the dialog that asks. */
export function StepUpProvider({ children }: { children: ReactNode }) {
  const [waiting, setWaiting] = useState<Waiting>()
  const run = useCallback<Run>(async (work) => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'step_up_required') throw error
    }
    await new Promise<void>((confirmed, refused) => setWaiting({ confirmed, refused }))
    return work()
  }, [])
  const close = (error?: Error) => {
    if (error) waiting?.refused(error)
    else waiting?.confirmed()
    setWaiting(undefined)
  }
  return (
    <Context value={run}>
      {children}
      {waiting && <ConfirmDialog onDone={() => close()} onClose={() => close(new NotConfirmed())} />}
    </Context>
  )
}

function ConfirmDialog({ onDone, onClose }: { onDone(): void; onClose(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const options = useQuery({
    queryKey: ['reauth-options'],
    gcTime: 0,
    queryFn: () => call<ReauthOptions>('POST', '/api/user/reauth/options'),
  })
  const [typed, setTyped] = useState('')
  const confirm = useMutation({
    mutationFn: (body: Record<string, unknown>) => call('POST', '/api/user/reauth', { body }),
    onSuccess: onDone,
  })
  const passkey = useMutation({
    mutationFn: async () => {
      const publicKey = options.data?.publicKey
      if (publicKey) await confirm.mutateAsync({ credential: await signWithPasskey(publicKey) })
    },
    // A challenge is good for one try.
    onError: () => void options.refetch(),
  })
  const methods = options.data?.methods ?? []
  const text = methods.includes('code') ? 'code' : methods.includes('password') ? 'password' : undefined
  const withPasskey = methods.includes('passkey') && passkeysWork()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text !== undefined) confirm.mutate({ [text]: typed })
  }
  const fault = confirm.error ?? passkey.error
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('security.confirmTitle')}
      description={t('security.confirmText')}
      footer={<Button onClick={onClose}>{t('common.cancel')}</Button>}
    >
      {options.isPending && <SkeletonRows />}
      {options.isError && <ErrorPanel error={options.error} onRetry={() => void options.refetch()} />}
      {options.data && (
        <div className="space-y-4">
          {isFault(fault) && <FormError>{errorText(fault)}</FormError>}
          {methods.length === 0 && <p>{t('security.confirmNone')}</p>}
          {withPasskey && (
            <Button variant="primary" className="w-full" busy={passkey.isPending} onClick={() => passkey.mutate()}>
              <Fingerprint size={16} aria-hidden />
              {t('security.usePasskey')}
            </Button>
          )}
          {text !== undefined && (
            <form onSubmit={submit} className="space-y-3">
              <Field
                label={t(text === 'code' ? 'security.code' : 'auth.password')}
                help={text === 'code' ? t('security.codeHelp') : undefined}
              >
                {text === 'code' ? (
                  <Input
                    name="code"
                    autoComplete="one-time-code"
                    required
                    value={typed}
                    onChange={(event) => setTyped(event.target.value)}
                  />
                ) : (
                  <SecretInput
                    name="password"
                    autoComplete="current-password"
                    required
                    value={typed}
                    onChange={(event) => setTyped(event.target.value)}
                  />
                )}
              </Field>
              <Button
                type="submit"
                variant={withPasskey ? 'plain' : 'primary'}
                className="w-full"
                busy={confirm.isPending && !passkey.isPending}
              >
                {t('security.confirm')}
              </Button>
            </form>
          )}
        </div>
      )}
    </Dialog>
  )
}
