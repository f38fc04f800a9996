import { Link } from '@tanstack/react-router'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { topNavItems } from './top-nav.ts'

const look = 'rounded-sm px-1 py-1 hover:text-ink hover:underline coarse:py-2.5'

/** The owner's pages and text below everything; on phones also what the bar on top has no room for. */
export function Footer() {
  const t = useT()
  const { settings } = useSite()
  const { footer_text: text, about_html: about, privacy_policy: privacy, terms } = settings
  const items = settings.top_nav_enabled ? topNavItems(settings.top_nav_items ?? '') : []
  if (!text && !about && !privacy && !terms && items.length === 0) return null
  return (
    <footer className="border-t border-line px-4 py-6 text-center text-[13px] text-ink-3">
      {(about || privacy || terms || items.length > 0) && (
        <nav aria-label={t('shell.footer')} className="mb-2 flex flex-wrap justify-center gap-x-4">
          {items.map(({ label, href }) => (
            <a key={`${label}${href}`} href={href} className={`${look} md:hidden`}>
              {label}
            </a>
          ))}
          {about && (
            <Link to="/about" className={look}>
              {t('content.about')}
            </Link>
          )}
          {privacy && (
            <Link to="/privacy" className={look}>
              {t('content.privacy')}
            </Link>
          )}
          {terms && (
            <Link to="/terms" className={look}>
              {t('content.terms')}
            </Link>
          )}
        </nav>
      )}
      {text && <p className="whitespace-pre-line">{text}</p>}
    </footer>
  )
}
