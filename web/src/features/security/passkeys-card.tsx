import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Fingerprint, Plus } from 'lucide-react'
import { useState } from 'react'
import { call } from '../../api/http.ts'
import { passkeysQuery } from '../../api/queries.ts'
import type { Passkey, PasskeyCreation } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { FormError } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { toast } from '../../ui/toast.tsx'
import { DeletePasskey } from './delete-passkey.tsx'
import { PasskeyRow } from './passkey-row.tsx'
import { isFault, useStepUp } from './step-up.tsx'
import { makePasskey, passkeysWork } from './webauthn.ts'

/** Passkeys: the way in that cannot be guessed or phished. */
export function PasskeysCard() {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const stepUp = useStepUp()
  const passkeys = useQuery(passkeysQuery)
  const [deleting, setDeleting] = useState<Passkey>()
  const works = passkeysWork()
  const add = useMutation({
    mutationFn: async () => {
      const { publicKey } = await stepUp(() => call<{ publicKey: PasskeyCreation }>('POST', '/api/user/passkeys/register/options'))
      return call<Passkey>('POST', '/api/user/passkeys/register', {
        body: { name: deviceName(), credential: await makePasskey(publicKey) },
      })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['passkeys'] })
      toast(t('security.passkeyAdded'))
    },
  })
  const button = (
    <Button size="sm" variant="primary" disabled={!works} busy={add.isPending} onClick={() => add.mutate()}>
      <Plus size={15} aria-hidden />
      {t('security.addPasskey')}
    </Button>
  )
  const some = passkeys.data !== undefined && passkeys.data.length > 0
  return (
    <Card title={t('security.passkeys')} actions={some && button}>
      {!works && <p className="border-b border-line bg-warn-soft px-5 py-3 text-[13px]">{t('security.insecure')}</p>}
      {add.isError && isFault(add.error) && (
        <div className="px-5 pt-4">
          <FormError>{errorText(add.error)}</FormError>
        </div>
      )}
      {passkeys.isPending && <SkeletonRows />}
      {passkeys.isError && <ErrorPanel error={passkeys.error} onRetry={() => void passkeys.refetch()} />}
      {passkeys.data && !some && (
        <Empty icon={<Fingerprint size={20} />} title={t('security.noPasskey')} text={t('security.noPasskeyText')} action={button} />
      )}
      {some && (
        <ul className="divide-y divide-line">
          {passkeys.data.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} onDelete={() => setDeleting(passkey)} />
          ))}
        </ul>
      )}
      {deleting && <DeletePasskey passkey={deleting} onClose={() => setDeleting(undefined)} />}
    </Card>
  )
}

/** A first name for a new passkey: the system it was made on. */
function deviceName(): string {
  const { userAgent } = navigator
  const system = /iPhone|iPad|Android|Windows|Mac OS|CrOS|Linux/.exec(userAgent)?.[0] ?? ''
  return system === 'Mac OS' ? 'Mac' : system === 'CrOS' ? 'ChromeOS' : system
}
