import type { ReactNode } from 'react'
import type { Receipt, ReceiptAttempt } from '../../api/types.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { duration } from '../../i18n/numbers.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Card } from '../../ui/page.tsx'

/** What stands around the bill: times, protocols, the id for support, and which ways were tried. */
export function ReceiptFacts({ receipt }: { receipt: Receipt }) {
  const t = useT()
  const { language } = useLanguage()
  const time = (value: number | null) => (value === null ? '–' : duration(value, language))
  return (
    <div className="space-y-4">
      <Card title={t('receipt.facts')}>
        <dl className="divide-y divide-line text-[13px]">
          <Fact label={t('receipt.status')}>{receipt.status === 0 ? '–' : receipt.status}</Fact>
          <Fact label={t('receipt.firstToken')}>{time(receipt.first_response_time_ms)}</Fact>
          <Fact label={t('receipt.duration')}>{time(receipt.response_time_ms)}</Fact>
          <Fact label={t('receipt.streamed')}>{t(receipt.stream ? 'common.yes' : 'common.no')}</Fact>
          <Fact label={t('receipt.endpoint')}>
            <span translate="no">{receipt.endpoint}</span>
          </Fact>
          {receipt.user_channel_name !== undefined && (
            <Fact label={t('receipt.channel')}>
              <span translate="no">{receipt.user_channel_name}</span>
            </Fact>
          )}
          {receipt.api_key_name !== undefined && (
            <Fact label={t('receipt.key')}>
              <span translate="no">{receipt.api_key_name}</span>
            </Fact>
          )}
          {receipt.ledger_entry_id !== null && <Fact label={t('receipt.ledger')}>{receipt.ledger_entry_id}</Fact>}
          <div className="px-4 py-2.5 sm:px-5">
            <dt className="flex items-center justify-between text-ink-3">
              {t('common.requestId')}
              <CopyButton text={receipt.request_id} label={t('common.copyRequestId')} />
            </dt>
            <dd translate="no" className="nums break-all">
              {receipt.request_id}
            </dd>
          </div>
        </dl>
      </Card>
      {receipt.attempts.length > 0 && (
        <Card title={t('receipt.attempts')}>
          <ol className="divide-y divide-line">
            {receipt.attempts.map((attempt, index) => (
              <Attempt key={index} attempt={attempt} number={index + 1} />
            ))}
          </ol>
        </Card>
      )}
      <p className="text-[13px] text-ink-3">{t('receipt.noPrompts')}</p>
    </div>
  )
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4 px-4 py-2.5 sm:px-5">
      <dt className="text-ink-3">{label}</dt>
      <dd className="nums text-right break-all">{children}</dd>
    </div>
  )
}

function Attempt({ attempt, number }: { attempt: ReceiptAttempt; number: number }) {
  const t = useT()
  const { language } = useLanguage()
  const ok = attempt.outcome === 'ok'
  return (
    <li className="px-4 py-2.5 text-[13px] sm:px-5">
      <p className="flex items-baseline justify-between gap-3">
        <span className="font-medium">{t('receipt.route', { number })}</span>
        <span className="nums text-ink-3">{duration(attempt.duration_ms, language)}</span>
      </p>
      <p className={ok ? 'text-good' : 'text-bad'}>
        {ok && t('receipt.attemptOk')}
        {!ok &&
          (attempt.outcome === 'aborted'
            ? t('receipt.attemptAborted')
            : attempt.status === null
              ? t('receipt.attemptSilent')
              : t('receipt.attemptFailed', { status: String(attempt.status) }))}
      </p>
    </li>
  )
}
