import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { logsQuery, meQuery, statsQuery } from '../../api/queries.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { compactCount } from '../../i18n/numbers.ts'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Amount } from '../../ui/money.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { Skeleton, SkeletonRows } from '../../ui/skeleton.tsx'
import { CallList } from '../logs/call-list.tsx'
import { Checklist } from './checklist.tsx'

const SHOWN_CALLS = 5

/** Where one stands: balance, what was used, the last calls; a new account sees what to do first. */
export function DashboardPage() {
  const t = useT()
  const me = useQuery(meQuery)
  const logs = useQuery(logsQuery(1, SHOWN_CALLS))
  const fresh = logs.data?.total === 0
  return (
    <Page title={me.data ? t('dashboard.welcome', { name: me.data.username }) : t('nav.home')}>
      <Tiles />
      {fresh && me.data && <Checklist admin={me.data.is_admin} balance={me.data.balance} />}
      {!fresh && (
        <Card
          className="mt-6"
          title={t('dashboard.lastCalls')}
          actions={
            <Link
              to="/dashboard/logs"
              className="inline-flex items-center gap-1 rounded-sm text-[13px] font-medium text-accent-text hover:underline"
            >
              {t('dashboard.allCalls')}
              <ArrowRight size={14} aria-hidden />
            </Link>
          }
        >
          {logs.isPending && <SkeletonRows />}
          {logs.isError && (
            <div className="p-4">
              <ErrorPanel error={logs.error} onRetry={() => void logs.refetch()} />
            </div>
          )}
          {logs.data && <CallList rows={logs.data.items} caption={t('dashboard.lastCalls')} />}
        </Card>
      )}
    </Page>
  )
}

function Tiles() {
  const t = useT()
  const { language } = useLanguage()
  const stats = useQuery(statsQuery)
  const me = useQuery(meQuery)
  if (stats.isError) return <ErrorPanel error={stats.error} onRetry={() => void stats.refetch()} />
  const { data } = stats
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line shadow-card lg:grid-cols-4">
      <Tile
        label={t('dashboard.balance')}
        note={
          me.data?.held !== undefined && me.data.held !== '0' ? (
            <>
              {t('dashboard.held')} <Amount value={me.data.held} />
            </>
          ) : undefined
        }
      >
        {data && <Amount balance value={data.balance} />}
      </Tile>
      <Tile label={t('dashboard.spent')}>{data && <Amount value={data.total_cost} />}</Tile>
      <Tile label={t('dashboard.today')} note={t('dashboard.utc')}>
        {data && compactCount(data.today_requests, language)}
      </Tile>
      <Tile label={t('dashboard.requests')}>{data && compactCount(data.total_requests, language)}</Tile>
    </dl>
  )
}

function Tile({ label, note, children }: { label: string; note?: ReactNode; children: ReactNode }) {
  return (
    <div className="min-h-26 bg-surface px-4 py-4 sm:px-5">
      <dt className="text-[13px] text-ink-3">{label}</dt>
      <dd className="nums mt-1.5 text-[22px] leading-tight font-semibold tracking-tight">
        {children ?? <Skeleton className="h-7 w-24" />}
      </dd>
      {note !== undefined && <dd className="mt-1 text-xs text-ink-3">{note}</dd>}
    </div>
  )
}
