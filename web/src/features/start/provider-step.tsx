import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ArrowRight, ExternalLink } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { ApiError, call } from '../../api/http.ts'
import { channelsQuery, userChannelsQuery } from '../../api/queries.ts'
import type { Channel } from '../../api/types.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, Input, SecretInput, Select } from '../../ui/field.tsx'
import { Heading } from '../../ui/page.tsx'
import { AllowAddress } from './allow-address.tsx'
import { allowEntry, customTypes, isPrivateHost, templates } from './templates.ts'
import { templateOf, type ProviderDraft, type Upstream } from './upstream.ts'

/** A pasted text this long is a whole key, and the test may start without another press. */
const WHOLE_KEY = 12

interface ProviderStepProps {
  draft: ProviderDraft
  onDraft(draft: ProviderDraft): void
  connected: Upstream | undefined
  onConnected(upstream: Upstream): void
  onSkip(): void
}

/** Choose whose models are sold, paste a key: the channel is made and the test begins. */
export function ProviderStep({ draft, onDraft, connected, onConnected, onSkip }: ProviderStepProps) {
  const t = useT()
  const client = useQueryClient()
  const channels = useQuery(channelsQuery)
  const [checked, setChecked] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const template = templates.find((one) => one.id === draft.templateId)
  const others = (channels.data ?? []).filter((channel) => channel.id !== connected?.channelId)

  const save = useMutation({
    mutationFn: async (next: ProviderDraft) => {
      // A channel belongs to a user channel or it gets no traffic; the first one is the default (contract.md 1.7).
      const userChannels = await client.fetchQuery(userChannelsQuery)
      const fields = {
        name: next.name.trim(),
        type: next.type,
        base_url: next.baseUrl.trim(),
        ...(next.apiKey === '' ? {} : { api_key: next.apiKey.trim() }),
      }
      return connected
        ? call<Channel>('PUT', `/api/channels/${connected.channelId}`, { body: fields })
        : call<Channel>('POST', '/api/channels', {
            body: { api_key: '', ...fields, user_channel_id: userChannels[0]?.id ?? null, priority: 1, weight: 1, enabled: true },
          })
    },
    onSuccess: (channel) => {
      void client.invalidateQueries({ queryKey: ['channels'] })
      if (template) onConnected({ channelId: channel.id, name: channel.name, baseUrl: channel.base_url, template })
    },
  })

  const problems = (next: ProviderDraft) => ({
    baseUrl: allowEntry(next.baseUrl.trim()) === undefined ? t('start.provider.addressWrong') : undefined,
    name: next.name.trim() === '' ? t('start.provider.nameMissing') : undefined,
    apiKey: next.apiKey.trim() === '' && !template?.keyOptional && !connected ? t('start.provider.keyMissing') : undefined,
  })
  const submit = (next: ProviderDraft) => {
    setChecked(true)
    const wrong = Object.entries(problems(next)).find(([, problem]) => problem !== undefined)
    if (!wrong) return save.mutate(next)
    form.current?.querySelector<HTMLInputElement>(`[name="${wrong[0]}"]`)?.focus()
  }
  const wrong = checked ? problems(draft) : { baseUrl: undefined, name: undefined, apiKey: undefined }
  const host = allowEntry(draft.baseUrl.trim())
  const maybeBlocked =
    save.error instanceof ApiError &&
    host !== undefined &&
    (['upstream_blocked', 'base_url_unsafe'].includes(save.error.code ?? '') || isPrivateHost(new URL(draft.baseUrl.trim()).hostname))

  // Known addresses stand below the key; an unknown one has to come first, because pasting the key starts the test.
  const address = (
    <Field
      className="sm:col-span-2"
      label={t('start.provider.address')}
      error={wrong.baseUrl}
      help={template?.baseUrl === '' ? t('start.provider.addressHelp') : undefined}
    >
      <Input
        name="baseUrl"
        type="url"
        inputMode="url"
        spellCheck={false}
        autoComplete="off"
        placeholder="https://"
        autoFocus={template?.baseUrl === ''}
        value={draft.baseUrl}
        onChange={(event) => onDraft({ ...draft, baseUrl: event.target.value })}
      />
    </Field>
  )
  return (
    <>
      <Heading title={t('start.provider.title')} />
      <p className="mt-2 mb-6 max-w-xl text-ink-2">{t('start.provider.lead')}</p>
      {others.length > 0 && (
        <section aria-label={t('start.provider.connected')} className="mb-7 rounded-xl border border-line bg-surface p-4 shadow-card">
          <h2 className="text-sm">{t('start.provider.connected')}</h2>
          <ul className="mt-2 divide-y divide-line">
            {others.map((channel) => {
              const known = templateOf(channel.base_url)
              return (
                <li key={channel.id} className="flex items-center justify-between gap-3 py-2">
                  <span className="min-w-0">
                    <span translate="no" className="font-medium">
                      {channel.name}
                    </span>{' '}
                    <span translate="no" className="block truncate text-[13px] text-ink-3">
                      {channel.base_url}
                    </span>
                  </span>
                  {known && (
                    <Button
                      size="sm"
                      onClick={() => onConnected({ channelId: channel.id, name: channel.name, baseUrl: channel.base_url, template: known })}
                    >
                      {t('start.provider.testAndSell')}
                    </Button>
                  )}
                </li>
              )
            })}
          </ul>
        </section>
      )}
      <form
        ref={form}
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          submit(draft)
        }}
      >
        <fieldset>
          <legend className="sr-only">{t('start.provider.choose')}</legend>
          <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
            {templates.map((one) => (
              <label
                key={one.id}
                className={cx(
                  'relative flex min-h-14 items-center gap-3 rounded-lg border bg-surface px-3 py-2 text-sm font-medium shadow-card transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent',
                  one.id === draft.templateId
                    ? 'border-accent ring-1 ring-accent bg-accent-soft/50'
                    : 'border-line hover:border-line-strong',
                )}
              >
                <input
                  type="radio"
                  name="template"
                  className="sr-only"
                  checked={one.id === draft.templateId}
                  onChange={() => {
                    setChecked(false)
                    save.reset()
                    onDraft({
                      ...draft,
                      templateId: one.id,
                      name: one.id === 'custom' ? t('start.provider.customName') : (one.name.split(' / ')[0] ?? one.name),
                      baseUrl: one.baseUrl,
                      type: one.type,
                    })
                  }}
                />
                <span
                  aria-hidden
                  className="grid size-7 shrink-0 place-items-center rounded-md bg-sunken text-[13px] font-semibold text-ink-2"
                >
                  {one.id === 'custom' ? '+' : one.name.slice(0, 1)}
                </span>
                <span className="min-w-0 leading-tight break-words">
                  {one.id === 'custom' ? t('start.provider.custom') : one.id === 'local' ? t('start.provider.local') : one.name}
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        {template && (
          <div key={template.id} className="mt-6 grid animate-rise gap-5 sm:grid-cols-2">
            {template.baseUrl === '' && address}
            <Field
              className="sm:col-span-2"
              label={t('start.provider.key')}
              optional={template.keyOptional}
              error={wrong.apiKey}
              help={
                <>
                  {t('start.provider.keyHelp')}
                  {template.keysAt && (
                    <a
                      href={template.keysAt}
                      target="_blank"
                      rel="noreferrer"
                      className="ml-1.5 inline-flex items-center gap-1 text-accent-text underline underline-offset-2"
                    >
                      {t('start.provider.keysAt', { provider: template.name })}
                      <ExternalLink size={12} aria-hidden />
                    </a>
                  )}
                </>
              }
            >
              <SecretInput
                name="apiKey"
                autoComplete="off"
                data-1p-ignore
                data-lpignore="true"
                autoFocus={template.baseUrl !== ''}
                placeholder={connected ? t('start.provider.keyKept') : template.keyHint}
                value={draft.apiKey}
                onChange={(event) => onDraft({ ...draft, apiKey: event.target.value })}
                onPaste={(event) => {
                  const pasted = event.clipboardData.getData('text').trim()
                  if (draft.apiKey !== '' || pasted.length < WHOLE_KEY || draft.baseUrl.trim() === '') return
                  event.preventDefault()
                  const next = { ...draft, apiKey: pasted }
                  onDraft(next)
                  submit(next)
                }}
              />
            </Field>
            {template.baseUrl !== '' && address}
            <Field label={t('start.provider.name')} error={wrong.name} className={template.id === 'custom' ? undefined : 'sm:col-span-2'}>
              <Input
                name="name"
                maxLength={100}
                autoComplete="off"
                value={draft.name}
                onChange={(event) => onDraft({ ...draft, name: event.target.value })}
              />
            </Field>
            {template.id === 'custom' && (
              <Field label={t('start.provider.protocol')}>
                <Select name="type" value={draft.type} onChange={(event) => onDraft({ ...draft, type: event.target.value })}>
                  {customTypes.map((one) => (
                    <option key={one.type} value={one.type}>
                      {one.name}
                    </option>
                  ))}
                </Select>
              </Field>
            )}
            {save.isError && (
              <div className="space-y-3 sm:col-span-2">
                <ErrorPanel error={save.error} title={t('start.provider.saveFailed')} />
                {maybeBlocked && host !== undefined && <AllowAddress entry={host} onAllowed={() => submit(draft)} />}
              </div>
            )}
          </div>
        )}
        <div className="mt-7 flex flex-wrap items-center gap-3">
          <Button type="submit" variant="primary" disabled={!template} busy={save.isPending}>
            {t('start.provider.submit')}
            <ArrowRight size={15} aria-hidden />
          </Button>
          <Button variant="quiet" onClick={onSkip}>
            {t('start.skip')}
          </Button>
        </div>
      </form>
    </>
  )
}
