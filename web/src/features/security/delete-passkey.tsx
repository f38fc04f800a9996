import { useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/http.ts'
import type { Passkey } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { FormError } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { isFault, useStepUp } from './step-up.tsx'

/** Asks before a passkey goes; the device keeps its half, which is of no use then. */
export function DeletePasskey({ passkey, onClose }: { passkey: Passkey; onClose(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const stepUp = useStepUp()
  const name = passkey.name === '' ? t('security.unnamed') : passkey.name
  const remove = useMutation({
    mutationFn: () => stepUp(() => call('DELETE', `/api/user/passkeys/${passkey.id}`)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['passkeys'] })
      toast(t('security.passkeyDeleted', { name }))
      onClose()
    },
  })
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('security.deleteTitle', { name })}
      description={t('security.deleteText')}
      footer={
        <>
          <Button autoFocus onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button variant="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('security.deletePasskey')}
          </Button>
        </>
      }
    >
      {remove.isError && isFault(remove.error) && <FormError>{errorText(remove.error)}</FormError>}
    </Dialog>
  )
}
