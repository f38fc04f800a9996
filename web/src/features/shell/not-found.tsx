import { Link } from '@tanstack/react-router'
import { useT } from '../../i18n/i18n.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { Heading } from '../../ui/page.tsx'
import { Mark } from './brand.tsx'

/** Our own 404: no silent redirect. */
export function NotFound() {
  const t = useT()
  return (
    <main className="mx-auto flex min-h-[80dvh] max-w-md flex-col items-start justify-center px-6">
      <Mark size={40} />
      <p className="nums mt-6 text-sm font-medium text-ink-3">404</p>
      <Heading title={t('notFound.title')} className="mt-1" />
      <p className="mt-2 text-ink-2">{t('notFound.text')}</p>
      <div className="mt-6 flex gap-2">
        <Link to="/dashboard" className={buttonClass('primary')}>
          {t('shell.console')}
        </Link>
        <Link to="/" className={buttonClass('plain')}>
          {t('notFound.home')}
        </Link>
      </div>
    </main>
  )
}
