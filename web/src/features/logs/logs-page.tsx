import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight, ReceiptText } from 'lucide-react'
import { logsQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { CallList } from './call-list.tsx'

const route = getRouteApi('/dashboard/logs')
const PAGE_SIZE = 25

/** Own calls, each with its receipt. */
export function LogsPage() {
  const t = useT()
  const { page = 1 } = route.useSearch()
  const logs = useQuery({ ...logsQuery(page, PAGE_SIZE), placeholderData: keepPreviousData })
  const total = logs.data?.total ?? 0
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE))
  return (
    <Page title={t('nav.logs')} lead={t('logs.lead')}>
      {logs.isError && <ErrorPanel error={logs.error} onRetry={() => void logs.refetch()} />}
      {!logs.isError && (
        <Card>
          {logs.isPending && <SkeletonRows rows={8} />}
          {logs.data && total === 0 && (
            <Empty
              icon={<ReceiptText size={20} />}
              title={t('logs.empty')}
              text={t('logs.emptyText')}
              action={
                <Link to="/dashboard/api-keys" className={buttonClass('primary')}>
                  {t('keys.create')}
                </Link>
              }
            />
          )}
          {logs.data && total > 0 && (
            <>
              <div className={cx('transition-opacity', logs.isPlaceholderData && 'opacity-50')}>
                <CallList rows={logs.data.items} caption={t('nav.logs')} />
              </div>
              <nav
                aria-label={t('logs.pages')}
                className="flex items-center justify-between gap-3 border-t border-line px-4 py-2.5 text-[13px] text-ink-3 sm:px-5"
              >
                <span className="nums">{t('logs.count', { count: total })}</span>
                <span className="flex items-center gap-2">
                  <span className="nums mr-1">{t('logs.pageOf', { page, pages })}</span>
                  <Link
                    to="/dashboard/logs"
                    search={page > 2 ? { page: page - 1 } : {}}
                    disabled={page <= 1}
                    aria-label={t('logs.newer')}
                    className={buttonClass('plain', 'sm')}
                  >
                    <ChevronLeft size={15} aria-hidden />
                  </Link>
                  <Link
                    to="/dashboard/logs"
                    search={{ page: page + 1 }}
                    disabled={page >= pages}
                    aria-label={t('logs.older')}
                    className={buttonClass('plain', 'sm')}
                  >
                    <ChevronRight size={15} aria-hidden />
                  </Link>
                </span>
              </nav>
            </>
          )}
        </Card>
      )}
    </Page>
  )
}
