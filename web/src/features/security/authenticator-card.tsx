import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/http.ts'
import { secondFactorQuery } from '../../api/queries.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { FormError } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { AddAuthenticator } from './add-authenticator.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'
import { isFault, useStepUp } from './step-up.tsx'

/** Few enough that new ones are worth making. */
const FEW_CODES = 3

/** The second factor of a password: an app that shows codes, and codes on paper for when the phone is gone. */
export function AuthenticatorCard() {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const stepUp = useStepUp()
  const state = useQuery(secondFactorQuery)
  const [adding, setAdding] = useState<{ secret: string; otpauth_url: string }>()
  const [codes, setCodes] = useState<readonly string[]>()
  const [asking, setAsking] = useState(false)
  const refresh = () => client.invalidateQueries({ queryKey: ['second-factor'] })
  const begin = useMutation({
    mutationFn: () => stepUp(() => call<{ secret: string; otpauth_url: string }>('POST', '/api/user/second-factor/totp')),
    onSuccess: setAdding,
  })
  const renew = useMutation({
    mutationFn: () => stepUp(() => call<{ recovery_codes: string[] }>('POST', '/api/user/second-factor/recovery-codes')),
    onSuccess: async ({ recovery_codes: made }) => {
      setCodes(made)
      await refresh()
    },
  })
  const disable = useMutation({
    mutationFn: () => stepUp(() => call('DELETE', '/api/user/second-factor/totp')),
    onSuccess: async () => {
      setAsking(false)
      await refresh()
      toast(t('security.totpOff'))
    },
  })
  const fault = begin.error ?? renew.error
  const { data } = state
  return (
    <Card title={t('security.totp')} actions={data?.totp_enabled && <Badge tone="good">{t('security.on')}</Badge>}>
      {state.isPending && <SkeletonRows />}
      {state.isError && <ErrorPanel error={state.error} onRetry={() => void state.refetch()} />}
      {data && (
        <div className="space-y-4 p-5">
          {isFault(fault) && <FormError>{errorText(fault)}</FormError>}
          {data.totp_enabled ? (
            <>
              <p className="text-ink-2">
                {t('security.totpOnText')} {data.totp_enabled_at !== null && <Time value={data.totp_enabled_at} />}
              </p>
              <p className={data.recovery_codes_left <= FEW_CODES ? 'text-warn' : 'text-ink-2'}>
                {t('security.codesLeft', { count: data.recovery_codes_left })}
              </p>
              <div className="flex flex-wrap gap-2">
                <Button busy={renew.isPending} onClick={() => renew.mutate()}>
                  {t('security.newCodes')}
                </Button>
                <Button onClick={() => setAsking(true)}>{t('security.switchOff')}</Button>
              </div>
            </>
          ) : (
            <div className="flex flex-wrap items-center justify-between gap-3">
              <p className="max-w-md text-ink-2">{t('security.totpOffText')}</p>
              <Button busy={begin.isPending} onClick={() => begin.mutate()}>
                {t('security.setUp')}
              </Button>
            </div>
          )}
        </div>
      )}
      {adding && (
        <AddAuthenticator
          made={adding}
          onClose={() => setAdding(undefined)}
          onDone={async (made) => {
            setAdding(undefined)
            setCodes(made)
            await refresh()
          }}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} />}
      {asking && (
        <Dialog
          open
          onOpenChange={() => setAsking(false)}
          title={t('security.switchOffTitle')}
          description={t('security.switchOffText')}
          footer={
            <>
              <Button autoFocus onClick={() => setAsking(false)}>
                {t('common.cancel')}
              </Button>
              <Button variant="danger" busy={disable.isPending} onClick={() => disable.mutate()}>
                {t('security.switchOff')}
              </Button>
            </>
          }
        >
          {disable.isError && isFault(disable.error) && <FormError>{errorText(disable.error)}</FormError>}
        </Dialog>
      )}
    </Card>
  )
}
