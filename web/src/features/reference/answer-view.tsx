import type { RawAnswer } from '../../api/raw.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Badge } from '../../ui/badge.tsx'
import { CopyButton } from '../../ui/copy.tsx'

/** What came back: status, time and the text, JSON laid out to be read. */
export function AnswerView({ answer, failed, running }: { answer: Partial<RawAnswer> | undefined; failed: boolean; running: boolean }) {
  const t = useT()
  if (failed)
    return (
      <p role="alert" className="border-t border-line px-4 py-3 text-[13px] text-bad sm:px-5">
        {t('reference.offline')}
      </p>
    )
  if (answer === undefined)
    return running ? (
      <p role="status" className="border-t border-line px-4 py-3 text-[13px] text-ink-3 sm:px-5">
        {t('reference.waiting')}
      </p>
    ) : null
  const { status, ms, requestId, cut } = answer
  const text = laidOut(answer)
  return (
    <div className="border-t border-line">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-[13px] text-ink-3 sm:px-5">
        <span role="status" className="inline-flex items-center gap-3">
          {status === undefined ? (
            t('reference.waiting')
          ) : (
            <>
              <Badge tone={status < 400 ? 'good' : 'bad'}>{status === 0 ? t('reference.redirected') : status}</Badge>
              <span className="nums">{t('reference.ms', { count: ms ?? 0 })}</span>
            </>
          )}
        </span>
        {requestId !== undefined && (
          <code translate="no" className="min-w-0 truncate text-xs">
            {requestId}
          </code>
        )}
        <span className="ml-auto">
          <CopyButton text={text} label={t('common.copy')} />
        </span>
      </div>
      <pre
        translate="no"
        tabIndex={0}
        aria-label={t('reference.answer')}
        className="max-h-112 overflow-auto border-t border-line bg-sunken/60 p-4 text-[13px] leading-relaxed whitespace-pre-wrap [overflow-wrap:anywhere] focus-visible:-outline-offset-2"
      >
        <code>{text}</code>
      </pre>
      {cut === true && <p className="border-t border-line px-4 py-2 text-[13px] text-ink-3 sm:px-5">{t('reference.cut')}</p>}
    </div>
  )
}

function laidOut({ text = '', type }: Partial<RawAnswer>): string {
  if (type !== 'application/json') return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // Cut off, or no JSON after all: as it stands.
    return text
  }
}
