import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { BookOpen } from 'lucide-react'
import { readToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Brand } from './brand.tsx'
import { Footer } from './footer.tsx'
import { LanguageMenu, ThemeMenu } from './preferences-menus.tsx'
import { SkipLink } from './skip-link.tsx'
import { topNavItems } from './top-nav.ts'

/** What somebody sees who is not inside: a bar on top, the page, a footer. */
export function VisitorShell() {
  const t = useT()
  const { settings } = useSite()
  const items = settings.top_nav_enabled ? topNavItems(settings.top_nav_items ?? '') : []
  // Columns side by side need the room, and the bar ends where they do.
  const wide = useLocation().pathname.startsWith('/docs/')
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink />
      <header className="sticky top-0 z-30 border-b border-line bg-bg/85 backdrop-blur-md">
        <div
          className={cx('mx-auto flex h-14 items-center justify-between gap-4 px-4 sm:px-6', wide ? 'max-w-[1480px]' : 'max-w-[1120px]')}
        >
          <Brand />
          <nav aria-label={t('shell.mainNav')} className="flex items-center gap-1">
            {items.map(({ label, href }) => (
              <a key={`${label}${href}`} href={href} className={`${buttonClass('quiet', 'sm')} hidden! max-w-40 truncate md:inline-flex!`}>
                {label}
              </a>
            ))}
            <Link to="/docs/api" search={{}} aria-label={t('nav.api')} className={buttonClass('quiet', 'sm')}>
              <BookOpen size={16} aria-hidden />
              <span className="hidden sm:inline">{t('shell.api')}</span>
            </Link>
            <LanguageMenu />
            <ThemeMenu />
            {readToken() === undefined ? (
              <Link to="/login" className={`${buttonClass('plain', 'sm')} ml-2`}>
                {t('shell.signIn')}
              </Link>
            ) : (
              <Link to="/dashboard" className={`${buttonClass('plain', 'sm')} ml-2`}>
                {t('shell.console')}
              </Link>
            )}
          </nav>
        </div>
      </header>
      <main id="main" className="flex-1">
        <Outlet />
      </main>
      <Footer />
    </div>
  )
}
