import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowLeft, ArrowRight, CircleCheck } from 'lucide-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { call } from '../../api/http.ts'
import { catalogQuery, invalidateMoney, meQuery } from '../../api/queries.ts'
import type { NewApiKey, User } from '../../api/types.ts'
import { useT } from '../../i18n/i18n.tsx'
import { amountInput, isPositive } from '../../i18n/numbers.ts'
import { useSite } from '../../site.tsx'
import { chatSnippets } from '../../snippets.ts'
import { Button, buttonClass } from '../../ui/button.tsx'
import { CodeTabs } from '../../ui/code.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, Input, Select } from '../../ui/field.tsx'
import { Amount } from '../../ui/money.tsx'
import { Heading } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { AnswerPanel } from './answer-panel.tsx'
import { streamChat, type Answer } from './first-call.ts'

/** Enough for hundreds of short calls, small enough to be obviously a test. */
const DEFAULT_CREDIT = '10'

/** Balance, key, call: the first answer that is metered and billed. */
export function CallStep({ model: sold, onBack }: { model: string | undefined; onBack(): void }) {
  const t = useT()
  const { baseUrl } = useSite()
  const client = useQueryClient()
  const me = useQuery(meQuery)
  const catalog = useQuery(catalogQuery)
  const models = [...new Set((catalog.data ?? []).flatMap((channel) => channel.models))]
  const [chosen, setChosen] = useState(sold)
  const model = chosen !== undefined && models.includes(chosen) ? chosen : models[0]
  const [prompt, setPrompt] = useState(() => t('start.call.prompt'))
  const [credit, setCredit] = useState(DEFAULT_CREDIT)
  const [secret, setSecret] = useState<string>()
  const [answer, setAnswer] = useState<Answer>()
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const broke = me.data !== undefined && !isPositive(me.data.balance)

  const make = useMutation({
    mutationFn: async () => {
      if (!me.data || model === undefined) return
      running.current?.abort()
      const controller = new AbortController()
      running.current = controller
      setAnswer(undefined)
      if (broke)
        await call<User>('PUT', `/api/users/${me.data.id}`, {
          body: { balance: amountInput(credit), reason: t('start.call.creditReason') },
        })
      void client.invalidateQueries({ queryKey: ['me'] })
      let key = secret
      if (key === undefined) {
        const channel = catalog.data?.find((one) => one.models.includes(model))
        const made = await call<NewApiKey>('POST', '/api/user/api-keys', {
          body: { name: t('start.call.keyName'), allowed_user_channels: channel ? [channel.id] : [], allowed_models: [] },
        })
        key = made.api_key
        setSecret(key)
      }
      await streamChat({ key, model, prompt }, setAnswer, controller.signal)
    },
    onSettled: () => void invalidateMoney(client),
  })
  if (me.isPending || catalog.isPending) return <SkeletonRows rows={6} />
  const failed = me.error ?? catalog.error
  if (failed) return <ErrorPanel error={failed} onRetry={() => void Promise.all([me.refetch(), catalog.refetch()])} />
  if (model === undefined) {
    return (
      <>
        <Heading title={t('start.call.title')} />
        <Empty
          title={t('start.call.noModel')}
          text={t('start.call.noModelText')}
          action={
            <Button onClick={onBack}>
              <ArrowLeft size={15} aria-hidden />
              {t('start.call.connect')}
            </Button>
          }
        />
        <p className="text-center">
          <Link to="/dashboard" className="text-accent-text underline underline-offset-2">
            {t('start.open')}
          </Link>
        </p>
      </>
    )
  }
  const creditWrong = broke && !isPositive(amountInput(credit) ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!creditWrong) make.mutate()
  }
  const finished = answer?.totalMs !== undefined
  return (
    <>
      <Heading title={t('start.call.title')} />
      <p className="mt-2 mb-6 max-w-xl text-ink-2">{t('start.call.lead')}</p>
      <form onSubmit={submit} className="rounded-xl border border-line bg-surface p-4 shadow-card sm:p-5">
        {broke ? (
          <div className="mb-5 grid gap-3 border-b border-line pb-5 sm:grid-cols-[1fr_140px] sm:items-end">
            <div>
              <h2 className="text-sm">{t('start.call.balance')}</h2>
              <p className="mt-1 text-ink-2">{t('start.call.balanceText')}</p>
            </div>
            <Field label={t('start.call.creditAmount')} error={creditWrong ? t('common.amountWrong') : undefined}>
              <Input
                name="credit"
                inputMode="decimal"
                className="nums"
                value={credit}
                onChange={(event) => setCredit(event.target.value)}
              />
            </Field>
          </div>
        ) : (
          <p className="mb-4 flex items-center gap-2 text-ink-2">
            <CircleCheck size={16} className="text-good" aria-hidden />
            {t('start.call.balanceNow')} {me.data && <Amount balance value={me.data.balance} className="font-medium text-ink" />}
          </p>
        )}
        <div className="grid gap-3 sm:grid-cols-[200px_minmax(0,1fr)]">
          <Field label={t('start.sell.model')}>
            <Select name="model" value={model} onChange={(event) => setChosen(event.target.value)}>
              {models.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('start.call.question')}>
            <Input name="prompt" required value={prompt} onChange={(event) => setPrompt(event.target.value)} />
          </Field>
        </div>
        <Button type="submit" variant="primary" className="mt-4" busy={make.isPending}>
          {broke ? t('start.call.creditAndCall') : secret === undefined ? t('start.call.keyAndCall') : t('start.call.again')}
        </Button>
      </form>
      {make.isError && (
        <div className="mt-4">
          <ErrorPanel error={make.error} title={t('start.call.failed')} />
        </div>
      )}
      {answer && <AnswerPanel key={answer.requestId} answer={answer} running={make.isPending} />}
      {secret !== undefined && (
        <section className="mt-8" aria-labelledby="your-key">
          <h2 id="your-key" className="text-base">
            {t('start.call.yourKey')}
          </h2>
          <p className="mt-1 text-ink-2">{t('keys.onceText')}</p>
          <div className="mt-3 flex flex-wrap items-center gap-2 rounded-lg border border-line bg-surface p-3 shadow-card">
            <code translate="no" className="min-w-0 flex-1 text-[13px] break-all select-all">
              {secret}
            </code>
            <CopyButton text={secret} label={t('keys.copy')} variant="plain" />
          </div>
          <div className="mt-4">
            <CodeTabs tabs={chatSnippets(baseUrl, model, secret)} label={t('start.call.snippets')} />
          </div>
        </section>
      )}
      <div className="mt-8 flex flex-wrap items-center gap-3">
        <Link to="/dashboard" className={buttonClass(finished ? 'primary' : 'quiet')}>
          {finished ? t('start.open') : t('start.later')}
          <ArrowRight size={15} aria-hidden />
        </Link>
      </div>
    </>
  )
}
