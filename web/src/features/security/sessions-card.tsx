import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Monitor, Smartphone } from 'lucide-react'
import { call } from '../../api/http.ts'
import { sessionsQuery } from '../../api/queries.ts'
import type { Session } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { FormError } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { deviceOf } from './device.ts'

/** Where the account is signed in; each of them can be ended from here. */
export function SessionsCard() {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const sessions = useQuery(sessionsQuery)
  const end = useMutation({
    mutationFn: (id: string) => call('DELETE', `/api/user/sessions/${encodeURIComponent(id)}`),
    onSuccess: async (_, id) => {
      await client.invalidateQueries({ queryKey: ['sessions'] })
      toast(t(id === 'others' ? 'security.othersEnded' : 'security.sessionEnded'))
    },
  })
  const others = (sessions.data ?? []).filter(({ current }) => !current)
  return (
    <Card
      title={t('security.sessions')}
      actions={
        others.length > 0 && (
          <Button size="sm" busy={end.isPending && end.variables === 'others'} onClick={() => end.mutate('others')}>
            {t('security.endOthers')}
          </Button>
        )
      }
    >
      {end.isError && (
        <div className="px-5 pt-4">
          <FormError>{errorText(end.error)}</FormError>
        </div>
      )}
      {sessions.isPending && <SkeletonRows />}
      {sessions.isError && <ErrorPanel error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.data && (
        <ul className="divide-y divide-line">
          {sessions.data.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              busy={end.isPending && end.variables === session.id}
              onEnd={() => end.mutate(session.id)}
            />
          ))}
        </ul>
      )}
    </Card>
  )
}

function SessionRow({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd(): void }) {
  const t = useT()
  const { browser, system, mobile } = deviceOf(session.user_agent)
  const Icon = mobile ? Smartphone : Monitor
  const device = browser === '' && system === '' ? t('security.unknownDevice') : [browser, system].filter(Boolean).join(' · ')
  return (
    <li className="flex items-center gap-4 px-4 py-3 sm:px-5">
      <Icon size={18} aria-hidden className="shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span translate="no" className="font-medium" title={session.user_agent}>
            {device}
          </span>
          {session.current && <Badge tone="good">{t('security.thisSession')}</Badge>}
        </p>
        <p className="mt-0.5 text-[13px] text-ink-3">
          <span translate="no">{session.ip}</span>
          {' · '}
          {t('security.lastSeen')} <Time value={session.last_seen_at} />
        </p>
      </div>
      {!session.current && (
        <Button size="sm" busy={busy} aria-label={t('security.endOf', { device })} onClick={onEnd}>
          {t('security.end')}
        </Button>
      )}
    </li>
  )
}
