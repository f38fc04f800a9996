import { Rich, useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Heading } from '../../ui/page.tsx'

const parts = {
  code: (text: string) => (
    <code translate="no" className="rounded-sm bg-sunken px-1 py-0.5 text-ink-2">
      {text}
    </code>
  ),
}

/**
 * The door: who reaches a fresh server from elsewhere must have seen its log. Whether this browser has the link's
 * cookie only the server knows; `refused` says that it just answered no.
 */
export function AccessStep({ refused, onNext }: { refused: boolean; onNext(): void }) {
  const t = useT()
  return (
    <>
      <Heading title={t('start.access.title')} />
      <p className="mt-2 max-w-xl text-ink-2">{t('start.access.lead')}</p>
      {refused && (
        <p role="alert" className="mt-5 rounded-lg border border-warn/30 bg-warn-soft px-4 py-3 text-ink">
          {t('start.access.stillLocked')}
        </p>
      )}
      <ol className="mt-6 space-y-4">
        <li className="flex gap-3">
          <span aria-hidden className="nums font-semibold text-accent-text">
            1
          </span>
          <div className="min-w-0 flex-1">
            <p>{t('start.access.log')}</p>
            <pre tabIndex={0} translate="no" className="mt-2 overflow-x-auto rounded-lg border border-line bg-sunken p-3.5 text-[13px]">
              <code>{location.origin}/setup?token=…</code>
            </pre>
          </div>
        </li>
        <li className="flex gap-3">
          <span aria-hidden className="nums font-semibold text-accent-text">
            2
          </span>
          <p>{t('start.access.open')}</p>
        </li>
      </ol>
      <p className="mt-5 text-[13px] text-ink-3">
        <Rich k="start.access.where" parts={parts} />
      </p>
      <Button variant="primary" className="mt-7" onClick={onNext}>
        {t('start.access.next')}
      </Button>
    </>
  )
}
