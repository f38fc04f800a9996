import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { BookOpen, House, KeyRound, ReceiptText, Rocket, ShieldCheck } from 'lucide-react'
import { meQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { cx } from '../../ui/cx.ts'

/**
 * The console's places in the order of the menu; `admin` ones are drawn for administrators only. A `flag` that the owner switched
 * off hides the entry, never the page (contract.md 5.1).
 */
export const entries = [
  { to: '/dashboard', label: 'nav.home', icon: House, group: 'user', flag: 'sidebar_dashboard_enabled' },
  { to: '/dashboard/api-keys', label: 'nav.keys', icon: KeyRound, group: 'user', flag: 'sidebar_api_keys_enabled' },
  { to: '/dashboard/logs', label: 'nav.logs', icon: ReceiptText, group: 'user', flag: 'sidebar_usage_enabled' },
  { to: '/dashboard/settings/security', label: 'nav.security', icon: ShieldCheck, group: 'user', flag: 'sidebar_settings_enabled' },
  { to: '/docs/api', label: 'nav.api', icon: BookOpen, group: 'user' },
  { to: '/dashboard/start', label: 'nav.start', icon: Rocket, group: 'admin' },
] as const

/** Navigation made of real links. */
export function SideNav({ bare = false }: { bare?: boolean }) {
  const t = useT()
  const { settings } = useSite()
  const me = useQuery(meQuery)
  const groups = me.data?.is_admin ? (['user', 'admin'] as const) : (['user'] as const)
  return (
    <nav aria-label={t('shell.mainNav')} className={cx('flex-1 space-y-6 overflow-y-auto', !bare && 'px-3 py-3')}>
      {groups.map((group) => (
        <div key={group}>
          {group === 'admin' && <p className="mb-1.5 px-2.5 text-xs font-medium text-ink-3">{t('nav.admin')}</p>}
          <ul className="space-y-0.5">
            {entries
              .filter((entry) => entry.group === group && !('flag' in entry && settings[entry.flag] === false))
              .map((entry) => (
                <li key={entry.to}>
                  <Link
                    to={entry.to}
                    activeOptions={{ exact: entry.to === '/dashboard' }}
                    className="flex h-9 items-center gap-2.5 rounded-md px-2.5 text-ink-2 transition-colors hover:bg-hover hover:text-ink coarse:h-11"
                    activeProps={{ className: 'bg-surface! text-ink! font-medium shadow-card ring-1 ring-line' }}
                  >
                    <entry.icon size={16} aria-hidden className="shrink-0" />
                    {t(entry.label)}
                  </Link>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}
