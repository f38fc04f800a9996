import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowRight, Circle, CircleCheck } from 'lucide-react'
import { apiKeysQuery, catalogQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { isPositive } from '../../i18n/numbers.ts'
import { buttonClass } from '../../ui/button.tsx'
import { Card } from '../../ui/page.tsx'

/** What is left to do before the first call; it goes with the first call. */
export function Checklist({ admin, balance }: { admin: boolean; balance: string }) {
  const t = useT()
  const catalog = useQuery(catalogQuery)
  const keys = useQuery(apiKeysQuery)
  const sells = (catalog.data ?? []).some((channel) => channel.models.length > 0)
  const items = [
    ...(admin ? ([{ id: 'sell', done: sells, to: '/dashboard/start' }] as const) : []),
    ...(admin ? [] : ([{ id: 'balance', done: isPositive(balance), to: undefined }] as const)),
    { id: 'key', done: (keys.data?.length ?? 0) > 0, to: '/dashboard/api-keys' },
    { id: 'call', done: false, to: admin ? '/dashboard/start' : '/dashboard/api-keys' },
  ] as const
  const next = items.find((item) => !item.done)
  return (
    <Card className="mt-6" title={t('dashboard.firstSteps')}>
      <ol className="divide-y divide-line">
        {items.map((item) => (
          <li key={item.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3.5 sm:px-5">
            {item.done ? (
              <CircleCheck size={19} className="text-good" role="img" aria-label={t('dashboard.done')} />
            ) : (
              <Circle size={19} className="text-line-strong" aria-hidden />
            )}
            <div className="min-w-0 flex-1 basis-52">
              <p className="font-medium">{t(`dashboard.do.${item.id}`)}</p>
              <p className="text-[13px] text-ink-3">{t(`dashboard.do.${item.id}.text`)}</p>
            </div>
            {!item.done && item.to !== undefined && (
              <Link to={item.to} className={buttonClass(item.id === next?.id ? 'primary' : 'plain', 'sm')}>
                {t(`dashboard.do.${item.id}.action`)}
                <ArrowRight size={14} aria-hidden />
              </Link>
            )}
          </li>
        ))}
      </ol>
    </Card>
  )
}
