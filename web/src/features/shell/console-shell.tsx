import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { ChevronRight, LogOut, Menu as MenuIcon, UserRound, Wallet } from 'lucide-react'
import { useState } from 'react'
import { send } from '../../api/http.ts'
import { meQuery } from '../../api/queries.ts'
import { dropToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Menu } from '../../ui/menu.tsx'
import { Amount } from '../../ui/money.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Brand } from './brand.tsx'
import { entries, SideNav } from './side-nav.tsx'
import { LanguageMenu, ThemeMenu } from './preferences-menus.tsx'
import { SkipLink } from './skip-link.tsx'

/** The console: navigation at the side, a bar on top with place, balance and the person. */
export function ConsoleShell() {
  const t = useT()
  const { pathname } = useLocation()
  // Open for one page only: following a link closes it.
  const [drawerAt, setDrawerAt] = useState<string>()
  const here = entries.filter((entry) => pathname === entry.to || pathname.startsWith(`${entry.to}/`)).at(-1)
  const inside = here !== undefined && pathname !== here.to
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[232px_minmax(0,1fr)] print:block">
      <SkipLink />
      <aside className="sticky top-0 hidden h-dvh flex-col border-r border-line bg-sunken/70 md:flex print:hidden">
        <div className="flex h-14 items-center px-4">
          <Brand to="/dashboard" />
        </div>
        <SideNav />
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b border-line bg-bg/85 px-2 backdrop-blur-md sm:px-4 md:pl-8 print:hidden">
          <IconButton label={t('shell.openMenu')} tip="none" className="md:hidden" onClick={() => setDrawerAt(pathname)}>
            <MenuIcon size={19} aria-hidden />
          </IconButton>
          <nav aria-label={t('shell.breadcrumb')} className="min-w-0 flex-1">
            <ol className="flex items-center gap-1.5 text-[13px]">
              {here && (
                <li className="truncate">
                  {inside ? (
                    <Link to={here.to} className="rounded-sm text-ink-3 hover:text-ink">
                      {t(here.label)}
                    </Link>
                  ) : (
                    <span aria-current="page" className="font-medium">
                      {t(here.label)}
                    </span>
                  )}
                </li>
              )}
              {inside && (
                <>
                  <li aria-hidden className="text-ink-3">
                    <ChevronRight size={14} />
                  </li>
                  <li aria-current="page" className="truncate font-medium">
                    {t('shell.detail')}
                  </li>
                </>
              )}
            </ol>
          </nav>
          <BalanceChip />
          <div className="hidden md:flex">
            <LanguageMenu />
            <ThemeMenu />
          </div>
          <PersonMenu />
        </header>
        <main id="main" className="min-w-0 flex-1">
          <Outlet />
        </main>
      </div>
      <Dialog open={drawerAt === pathname} onOpenChange={() => setDrawerAt(undefined)} title={t('shell.menu')} shape="drawer">
        <SideNav bare />
        <div className="mt-6 flex gap-1 border-t border-line pt-3">
          <LanguageMenu />
          <ThemeMenu />
        </div>
      </Dialog>
    </div>
  )
}

function BalanceChip() {
  const t = useT()
  const me = useQuery(meQuery)
  if (me.isPending) return <Skeleton className="h-7 w-20" />
  if (!me.data) return null
  return (
    <span className="mr-1 inline-flex h-8 items-center gap-2 rounded-full border border-line bg-surface px-3 text-[13px] font-medium shadow-card">
      <Wallet size={14} className="text-ink-3" aria-hidden />
      <span className="sr-only">{t('shell.balance')}</span>
      <Amount balance value={me.data.balance} />
    </span>
  )
}

function PersonMenu() {
  const t = useT()
  const navigate = useNavigate()
  const client = useQueryClient()
  const me = useQuery(meQuery)
  const signOut = async () => {
    // The session is ended on the server, too; when that fails it is at least forgotten here.
    await send('POST', '/auth/logout').catch(() => undefined)
    dropToken()
    await navigate({ to: '/login', search: {} })
    client.clear()
  }
  return (
    <Menu
      label={t('shell.account')}
      trigger={
        <span
          translate="no"
          aria-hidden
          className="grid size-7 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text uppercase"
        >
          {me.data ? me.data.username.slice(0, 1) : <UserRound size={15} />}
        </span>
      }
      heading={
        me.data && (
          <div translate="no" className="max-w-56">
            <div className="truncate text-sm font-medium">{me.data.username}</div>
            <div className="truncate text-xs text-ink-3">{me.data.email}</div>
          </div>
        )
      }
      items={[
        {
          key: 'out',
          label: t('shell.signOut'),
          icon: <LogOut size={15} className="text-ink-3" aria-hidden />,
          onSelect: () => void signOut(),
        },
      ]}
    />
  )
}
