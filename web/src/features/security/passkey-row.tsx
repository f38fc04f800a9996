import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Pencil, Trash2 } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import type { Passkey } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Time } from '../../ui/time.tsx'

/** One passkey: its name can be changed in place. */
export function PasskeyRow({ passkey, onDelete }: { passkey: Passkey; onDelete(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const [name, setName] = useState<string>()
  const rename = useMutation({
    mutationFn: (to: string) => call('PUT', `/api/user/passkeys/${passkey.id}`, { body: { name: to } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['passkeys'] })
      setName(undefined)
    },
  })
  const shown = passkey.name === '' ? t('security.unnamed') : passkey.name
  if (name !== undefined) {
    const submit = (event: FormEvent) => {
      event.preventDefault()
      rename.mutate(name.trim())
    }
    return (
      <li className="px-4 py-3 sm:px-5">
        <form onSubmit={submit} className="flex flex-wrap items-start gap-2">
          <Field
            label={t('security.passkeyName')}
            hideLabel
            className="min-w-48 flex-1"
            error={rename.isError ? errorText(rename.error) : undefined}
          >
            <Input autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
          </Field>
          <Button type="submit" variant="primary" busy={rename.isPending}>
            {t('security.save')}
          </Button>
          <Button onClick={() => setName(undefined)}>{t('common.cancel')}</Button>
        </form>
      </li>
    )
  }
  return (
    <li className="flex items-center gap-4 px-4 py-3 sm:px-5">
      <div className="min-w-0 flex-1">
        <p translate="no" className="truncate font-medium">
          {shown}
        </p>
        <p className="mt-0.5 text-[13px] text-ink-3">
          {t('security.lastUsed')} {passkey.last_used_at === null ? t('keys.never') : <Time value={passkey.last_used_at} />}
        </p>
      </div>
      <IconButton label={t('security.renameOf', { name: shown })} onClick={() => setName(passkey.name)}>
        <Pencil size={15} aria-hidden />
      </IconButton>
      <IconButton label={t('security.deleteOf', { name: shown })} onClick={onDelete}>
        <Trash2 size={15} aria-hidden />
      </IconButton>
    </li>
  )
}
