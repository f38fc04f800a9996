import { useT } from '../../i18n/i18n.tsx'

/** First stop of the Tab key: past the navigation. */
export function SkipLink() {
  const t = useT()
  return (
    <a
      href="#main"
      className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
    >
      {t('shell.skip')}
    </a>
  )
}
