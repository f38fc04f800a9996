import type { ReactNode } from 'react'
import type { Receipt, ReceiptLine } from '../../api/types.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { exactMoney, isPositive, plainDecimal } from '../../i18n/numbers.ts'
import { useSite } from '../../site.tsx'
import { Amount } from '../../ui/money.tsx'
import { Time } from '../../ui/time.tsx'
import { EndBadge } from './end-badge.tsx'
import { endWords, meterWord, multiplierWord, usageWords } from './words.ts'

/**
 * The bill of one call, line by line, exactly as the server stored it: the browser shows amounts, it derives none.
 */
export function ReceiptPaper({ receipt }: { receipt: Receipt }) {
  const t = useT()
  const { language } = useLanguage()
  const usage = usageWords(receipt.usage_source)
  const end = endWords(receipt.end_reason)
  return (
    <section aria-label={t('receipt.title')}>
      <div className="rounded-t-xl border border-b-0 border-line bg-surface">
        <div className="flex flex-wrap items-start justify-between gap-3 px-4 pt-4 pb-3.5 sm:px-6 sm:pt-5">
          <div className="min-w-0">
            <p translate="no" className="text-base font-semibold break-all">
              {receipt.model_name}
            </p>
            <p className="mt-0.5 text-[13px] text-ink-3">
              <Time value={receipt.created_at} absolute />
            </p>
          </div>
          <EndBadge reason={receipt.end_reason} />
        </div>
        <div className="border-t border-dashed border-line px-4 py-1 sm:px-6">
          {receipt.lines.length === 0 && <p className="py-4 text-ink-2">{t('receipt.noLines')}</p>}
          <ul className="divide-y divide-line">
            {receipt.lines.map((line) => (
              <Line key={line.meter} line={line} />
            ))}
          </ul>
        </div>
        <dl className="border-t border-dashed border-line px-4 py-3.5 sm:px-6">
          <Row label={t('receipt.rounding')} value={<Amount value={receipt.rounding} exact />} />
          <div className="mt-1.5 flex items-baseline justify-between gap-4 text-[17px] font-semibold">
            <dt>{t('receipt.charged')}</dt>
            <dd data-testid="charged">
              <Amount value={receipt.charged} exact />
            </dd>
          </div>
          {isPositive(receipt.uncollected) && <Row label={t('receipt.uncollected')} value={<Amount value={receipt.uncollected} exact />} />}
          <Row label={t('receipt.hold')} value={<Amount value={receipt.hold} exact />} />
        </dl>
        <div className="space-y-1.5 border-t border-dashed border-line px-4 pt-3.5 pb-4 text-[13px] text-ink-2 sm:px-6">
          <p>{usage ? t(usage.help) : receipt.usage_source}</p>
          {end && <p>{t(end.help)}</p>}
          {receipt.losses.length > 0 && (
            <p>
              {t('receipt.dropped', { count: receipt.losses.length })}{' '}
              <code translate="no" className="break-all">
                {receipt.losses.map(lossPath).join(', ')}
              </code>
            </p>
          )}
          <p translate="no" className="nums text-xs break-all text-ink-3" lang={language}>
            {receipt.request_id}
          </p>
        </div>
      </div>
      <div aria-hidden className="receipt-edge" />
    </section>
  )
}

/** A loss is `{path, reason}`; what another version wrote is shown as it is. */
function lossPath(loss: unknown): string {
  return typeof loss === 'object' && loss !== null && 'path' in loss && typeof loss.path === 'string' ? loss.path : JSON.stringify(loss)
}

function Row({ label, value }: { label: string; value: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4 text-[13px] text-ink-3">
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Line({ line }: { line: ReceiptLine }) {
  const t = useT()
  const { language } = useLanguage()
  const { currency } = useSite()
  const meter = meterWord(line.meter)
  const source = multiplierWord(line.group_source)
  const factors = [
    plainDecimal(line.group_multiplier) === '1'
      ? undefined
      : t('receipt.groupFactor', { factor: plainDecimal(line.group_multiplier), source: source ? t(source) : line.group_source }),
    plainDecimal(line.channel_multiplier) === '1'
      ? undefined
      : t('receipt.channelFactor', { factor: plainDecimal(line.channel_multiplier) }),
  ].filter((text) => text !== undefined)
  const from = line.tier?.min_tokens
  return (
    <li className="flex items-baseline justify-between gap-4 py-2.5">
      <div className="min-w-0">
        <p className="font-medium">{meter ? t(meter) : line.meter}</p>
        <p className="nums text-[13px] text-ink-3">
          {t('receipt.tokensTimes', { count: line.tokens, price: exactMoney(line.unit_price, currency, language) })}
          {from !== undefined && ` · ${t('receipt.tier', { count: from })}`}
          {factors.map((factor) => ` · ${factor}`)}
        </p>
      </div>
      <Amount value={line.amount} exact className="shrink-0 text-right" />
    </li>
  )
}
