import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { useT } from '../../i18n/i18n.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'

/** A page that broke says so in its place; the shell around it stays. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const t = useT()
  const router = useRouter()
  return (
    <div className="mx-auto max-w-xl px-4 py-16">
      <ErrorPanel
        error={error}
        title={t('common.pageFailed')}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </div>
  )
}
