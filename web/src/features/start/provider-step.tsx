import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ArrowRight } from 'lucide-react'
import { useRef, useState, type FormEvent } from 'react'
import { ApiError, call } from '../../api/http.ts'
import { channelsQuery, userChannelsQuery } from '../../api/queries.ts'
import type { Channel } from '../../api/types.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { Heading } from '../../ui/page.tsx'
import { AllowAddress } from './allow-address.tsx'
import { KeyField } from './key-field.tsx'
import { OtherProvider } from './other-provider.tsx'
import { ProviderTiles } from './provider-tiles.tsx'
import { allowEntry, blankIn, isPrivateHost, templateById, tiles, type Template } from './templates.ts'
import { templateOf, type ProviderDraft, type Upstream } from './upstream.ts'

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
  const template = templateById(draft.templateId)
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

  const addressProblem = (baseUrl: string) => {
    const blank = blankIn(baseUrl)
    if (blank !== undefined) return t('start.provider.addressBlank', { blank })
    return allowEntry(baseUrl) === undefined ? t('start.provider.addressWrong') : undefined
  }
  const problems = (next: ProviderDraft) => ({
    baseUrl: addressProblem(next.baseUrl.trim()),
    name: next.name.trim() === '' ? t('start.provider.nameMissing') : undefined,
    apiKey: next.apiKey.trim() === '' && !template?.keyOptional && !connected ? t('start.provider.keyMissing') : undefined,
  })
  const submit = (next: ProviderDraft) => {
    setChecked(true)
    const wrong = Object.entries(problems(next)).find(([, problem]) => problem !== undefined)
    if (!wrong) return save.mutate(next)
    form.current?.querySelector<HTMLInputElement | HTMLTextAreaElement>(`[name="${wrong[0]}"]`)?.focus()
  }
  const wrong = checked ? problems(draft) : { baseUrl: undefined, name: undefined, apiKey: undefined }
  const host = allowEntry(draft.baseUrl.trim())
  const maybeBlocked =
    save.error instanceof ApiError &&
    host !== undefined &&
    (['upstream_blocked', 'base_url_unsafe'].includes(save.error.code ?? '') || isPrivateHost(new URL(draft.baseUrl.trim()).hostname))

  const choose = (next: Template, type: string = next.type) => {
    setChecked(false)
    save.reset()
    onDraft({
      ...draft,
      templateId: next.id,
      name: next.id === 'custom' ? t('start.provider.customName') : (next.name.split(' / ')[0] ?? next.name),
      // Another protocol of the same own address: the address stays.
      baseUrl: next === template ? draft.baseUrl : next.baseUrl,
      type,
    })
  }
  const other = template !== undefined && (template.id === 'custom' || !tiles.includes(template))
  const addressFirst = template !== undefined && (template.baseUrl === '' || blankIn(template.baseUrl) !== undefined)

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
        autoFocus={addressFirst}
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
              const known = templateOf(channel)
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
        <ProviderTiles chosen={template} onChoose={choose} />
        {template && (
          // The same panel for all behind the last tile: the list that chooses among them keeps the focus.
          <div key={other ? 'other' : template.id} className="mt-6 grid animate-rise gap-5 sm:grid-cols-2">
            {other && <OtherProvider template={template} type={draft.type} onChoose={choose} />}
            {addressFirst && address}
            <KeyField
              template={template}
              value={draft.apiKey}
              error={wrong.apiKey}
              autoFocus={!addressFirst}
              kept={connected !== undefined}
              ready={problems(draft).baseUrl === undefined}
              onChange={(apiKey) => onDraft({ ...draft, apiKey })}
              onPasted={(apiKey) => {
                const next = { ...draft, apiKey }
                onDraft(next)
                submit(next)
              }}
              onEnter={() => submit(draft)}
            />
            {!addressFirst && address}
            <Field label={t('start.provider.name')} error={wrong.name} className="sm:col-span-2">
              <Input
                name="name"
                maxLength={100}
                autoComplete="off"
                value={draft.name}
                onChange={(event) => onDraft({ ...draft, name: event.target.value })}
              />
            </Field>
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
