import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useId, useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import { catalogQuery } from '../../api/queries.ts'
import type { NewApiKey } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { amountInput } from '../../i18n/numbers.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, FormError, Input, Select, Textarea } from '../../ui/field.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { ModelPicker } from './model-picker.tsx'
import { NewSecret } from './new-secret.tsx'

/** An address or a range; the server checks the numbers. */
const ADDRESS = /^[0-9a-f.:]+(\/\d{1,3})?$/i

/** Makes a key; the sheet then shows its secret, once. */
export function CreateKey({ onClose }: { onClose(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const catalog = useQuery(catalogQuery)
  const formId = useId()
  const [form, setForm] = useState({ name: '', channel: '', ips: '', quota: '' })
  const [models, setModels] = useState<readonly string[]>()
  const [checked, setChecked] = useState(false)
  const channel = catalog.data?.find((one) => String(one.id) === form.channel) ?? catalog.data?.[0]
  const ips = form.ips.split(/[\s,]+/).filter(Boolean)
  const badIp = ips.find((ip) => !ADDRESS.test(ip))
  const quota = form.quota.trim() === '' ? '0' : amountInput(form.quota)
  const picked = models?.filter((model) => channel?.models.includes(model))
  // An empty list would mean every model (contract.md 3.6): the opposite of what was asked for.
  const nonePicked = picked !== undefined && picked.length === 0
  const create = useMutation({
    mutationFn: () =>
      call<NewApiKey>('POST', '/api/user/api-keys', {
        body: {
          name: form.name.trim() === '' ? undefined : form.name.trim(),
          allowed_user_channels: channel ? [channel.id] : [],
          allowed_models: picked ?? [],
          allowed_ips: ips,
          quota_limit: quota,
        },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['api-keys'] }),
  })
  const bind = (name: keyof typeof form) => ({
    name,
    value: form[name],
    onChange: (event: { target: { value: string } }) => setForm((now) => ({ ...now, [name]: event.target.value })),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setChecked(true)
    if (badIp === undefined && quota !== undefined && !nonePicked && channel) create.mutate()
  }
  if (create.data)
    return (
      <NewSecret secret={create.data.api_key} name={create.data.key.name} model={picked?.[0] ?? channel?.models[0]} onClose={onClose} />
    )
  return (
    <Dialog
      open
      onOpenChange={onClose}
      shape="sheet"
      title={t('keys.create')}
      description={t('keys.createText')}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="submit" form={formId} variant="primary" busy={create.isPending} disabled={!channel}>
            {t('keys.create')}
          </Button>
        </>
      }
    >
      {catalog.isPending && <SkeletonRows />}
      {catalog.isError && <ErrorPanel error={catalog.error} onRetry={() => void catalog.refetch()} />}
      {catalog.data && (
        <form id={formId} onSubmit={submit} className="space-y-5 pt-1">
          {create.isError && <FormError>{errorText(create.error)}</FormError>}
          {!channel && <p className="rounded-lg bg-warn-soft px-3.5 py-2.5">{t('keys.noChannel')}</p>}
          <Field label={t('keys.name')} help={t('keys.nameHelp')}>
            <Input {...bind('name')} maxLength={100} autoComplete="off" placeholder={t('keys.namePlaceholder')} />
          </Field>
          {catalog.data.length > 1 && (
            <Field label={t('keys.channel')} help={channel?.description === '' ? undefined : channel?.description}>
              <Select {...bind('channel')} value={String(channel?.id ?? '')}>
                {catalog.data.map((one) => (
                  <option key={one.id} value={one.id}>
                    {t('keys.channelOption', { name: one.name, count: one.models.length })}
                  </option>
                ))}
              </Select>
            </Field>
          )}
          {channel && channel.models.length > 0 && (
            <ModelPicker
              models={channel.models}
              chosen={models}
              error={checked && nonePicked ? t('keys.pickOne') : undefined}
              onChange={setModels}
            />
          )}
          <Field
            label={t('keys.quota')}
            optional
            help={t('keys.quotaHelp')}
            error={checked && quota === undefined ? t('common.amountWrong') : undefined}
          >
            <Input {...bind('quota')} inputMode="decimal" autoComplete="off" className="nums" />
          </Field>
          <Field
            label={t('keys.ips')}
            optional
            help={t('keys.ipsHelp')}
            error={checked && badIp !== undefined ? t('keys.ipWrong', { ip: badIp }) : undefined}
          >
            <Textarea
              {...bind('ips')}
              rows={2}
              spellCheck={false}
              className="font-mono text-[13px]!"
              placeholder="203.0.113.7, 10.0.0.0/8"
            />
          </Field>
        </form>
      )}
    </Dialog>
  )
}
