import { RotateCw, TriangleAlert } from 'lucide-react'
import { ApiError } from '../api/http.ts'
import { useErrorText } from '../i18n/error-text.ts'
import { useT } from '../i18n/i18n.tsx'
import { Button } from './button.tsx'
import { CopyButton } from './copy.tsx'

/** Stands where the data would: what failed, why, the request id for support, and another try. */
export function ErrorPanel({ error, title, onRetry }: { error: unknown; title?: string; onRetry?: () => void }) {
  const t = useT()
  const textOf = useErrorText()
  const requestId = error instanceof ApiError ? error.requestId : undefined
  return (
    <div role="alert" className="rounded-lg border border-bad/30 bg-bad-soft px-4 py-3.5">
      <div className="flex gap-3">
        <TriangleAlert size={18} className="mt-0.5 shrink-0 text-bad" aria-hidden />
        <div className="min-w-0 flex-1">
          <p className="font-semibold text-ink">{title ?? t('common.failed')}</p>
          <p className="mt-0.5 break-words text-ink-2">{textOf(error)}</p>
          {requestId !== undefined && (
            <p className="mt-1.5 flex flex-wrap items-center gap-1 text-xs text-ink-3">
              {t('common.requestId')}{' '}
              <code translate="no" className="break-all text-ink-2">
                {requestId}
              </code>
              <CopyButton text={requestId} label={t('common.copyRequestId')} />
            </p>
          )}
        </div>
        {onRetry && (
          <Button size="sm" onClick={onRetry}>
            <RotateCw size={14} aria-hidden />
            {t('common.retry')}
          </Button>
        )}
      </div>
    </div>
  )
}
