import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/http.ts'
import { receiptQuery } from '../../api/queries.ts'
import type { LogRow, Page } from '../../api/types.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { duration } from '../../i18n/numbers.ts'
import { cx } from '../../ui/cx.ts'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { ReceiptPaper } from '../logs/receipt-paper.tsx'
import type { Answer } from './first-call.ts'

/** The row is written within three seconds of the answer; asked for quickly first (console.md U2). */
const RECEIPT_WAITS_MS = [200, 600, 1_500, 3_000]

/** The answer as it comes, and what it cost once the books say so. */
export function AnswerPanel({ answer, running }: { answer: Answer; running: boolean }) {
  const t = useT()
  const { language } = useLanguage()
  const finished = answer.totalMs !== undefined
  const latest = useQuery({
    queryKey: ['first-call', answer.requestId],
    queryFn: ({ signal }) => call<Page<LogRow>>('GET', '/api/user/logs?page=1&page_size=1', { signal }),
    enabled: finished,
    retry: false,
    refetchInterval: ({ state }) => {
      const row = state.data?.items[0]
      if (row !== undefined && (answer.requestId === undefined || row.request_id === answer.requestId)) return false
      return RECEIPT_WAITS_MS[Math.max(0, state.dataUpdateCount - 1)] ?? false
    },
  })
  const row = latest.data?.items[0]
  const mine = row !== undefined && (answer.requestId === undefined || row.request_id === answer.requestId) ? row : undefined
  const receipt = useQuery({ ...receiptQuery(String(mine?.id ?? '')), enabled: mine !== undefined })
  return (
    <section className="mt-6 animate-rise" aria-label={t('start.call.answer')}>
      <div className="rounded-xl border border-line bg-surface shadow-card">
        <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2.5 text-[13px] text-ink-3 sm:px-5">
          <span className="font-medium text-ink">{t('start.call.answer')}</span>
          <span className="nums flex gap-4">
            {answer.firstTokenMs !== undefined && (
              <span>{t('start.call.firstToken', { time: duration(answer.firstTokenMs, language) })}</span>
            )}
            {answer.totalMs !== undefined && <span>{t('start.call.total', { time: duration(answer.totalMs, language) })}</span>}
          </span>
        </div>
        <p
          aria-busy={running}
          data-testid="answer"
          className={cx('min-h-14 px-4 py-4 text-[15px] leading-relaxed break-words whitespace-pre-wrap sm:px-5', running && 'caret')}
        >
          {answer.text}
        </p>
      </div>
      <p role="status" className="sr-only">
        {finished ? answer.text : ''}
      </p>
      {finished && (
        <div className="mt-5">
          {receipt.data && <ReceiptPaper receipt={receipt.data} />}
          {!receipt.data && !latest.isError && !receipt.isError && <SkeletonRows rows={3} />}
          {(latest.isError || receipt.isError) && (
            <ErrorPanel
              error={latest.error ?? receipt.error}
              title={t('start.call.receiptFailed')}
              onRetry={() => void (latest.isError ? latest.refetch() : receipt.refetch())}
            />
          )}
        </div>
      )}
    </section>
  )
}
