import type { Key } from '../../i18n/en/index.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { format } from '../../i18n/message.ts'
import { Card } from '../../ui/page.tsx'
import type { ApiDocument } from './document.ts'

/** Every code of a failed call, by status. */
export function ErrorsView({ document }: { document: ApiDocument }) {
  const t = useT()
  const { catalogue, language } = useLanguage()
  const words = (code: string, message: string): string => {
    const key = `error.${code}`
    return Object.hasOwn(catalogue, key) ? format(catalogue[key as Key], {}, language) : message
  }
  const errors = document['x-errors'].toSorted((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
  return (
    <Card title={t('reference.errors')}>
      <p className="px-4 pt-3 text-[13px] text-ink-3 sm:px-5">{t('reference.errorsText')}</p>
      <ul className="divide-y divide-line px-4 py-1 sm:px-5">
        {errors.map(({ code, status, message }) => (
          <li key={code} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 py-2 text-[13px]">
            <span className="nums w-8 text-ink-3">{status}</span>
            <code translate="no" className="font-medium break-all">
              {code}
            </code>
            <span className="min-w-0 text-ink-2">{words(code, message)}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
