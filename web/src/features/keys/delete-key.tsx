import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/http.ts'
import type { ApiKey } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, FormError, Input } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'

/** A key used within this time is somebody's running program: its name has to be typed (console.md 4.4). */
const IN_USE_MS = 24 * 60 * 60 * 1000

export function DeleteKey({ apiKey: key, onClose }: { apiKey: ApiKey; onClose(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const [typed, setTyped] = useState('')
  const [inUse] = useState(() => key.last_used_at !== null && Date.now() - new Date(key.last_used_at).getTime() < IN_USE_MS)
  const remove = useMutation({
    mutationFn: () => call('DELETE', `/api/user/api-keys/${key.id}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['api-keys'] })
      toast(t('keys.deleted', { name: key.name }))
      onClose()
    },
  })
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('keys.deleteTitle', { name: key.name })}
      description={t(inUse ? 'keys.deleteInUse' : 'keys.deleteText', { count: key.usage.request_count })}
      footer={
        <>
          <Button autoFocus={!inUse} onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button variant="danger" busy={remove.isPending} disabled={inUse && typed !== key.name} onClick={() => remove.mutate()}>
            {t('keys.delete')}
          </Button>
        </>
      }
    >
      {remove.isError && <FormError>{errorText(remove.error)}</FormError>}
      {inUse && (
        <Field label={t('keys.typeName', { name: key.name })}>
          <Input autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} />
        </Field>
      )}
    </Dialog>
  )
}
