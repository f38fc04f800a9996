import { useT } from '../../i18n/i18n.tsx'
import { cx } from '../../ui/cx.ts'
import { Field, Input } from '../../ui/field.tsx'

/** A model that may go on sale, prices as typed. */
export interface Offer {
  readonly name: string
  readonly chosen: boolean
  readonly input: string
  readonly output: string
  readonly cached: string
  /** The prices came from the list of public prices. */
  readonly listPrice: boolean
}

const priceFields = ['input', 'output', 'cached'] as const

/** One model with its tick and prices. */
export function SellRow({ offer, wrong, onChange }: { offer: Offer; wrong: boolean; onChange(part: Partial<Offer>): void }) {
  const t = useT()
  return (
    <li
      className={cx(
        'grid grid-cols-3 items-center gap-2 px-4 py-2.5 sm:grid-cols-[minmax(0,1fr)_repeat(3,104px)]',
        offer.chosen && 'bg-accent-soft/40',
      )}
    >
      <label className="col-span-3 flex min-h-8 min-w-0 items-center gap-3 sm:col-span-1 coarse:min-h-11">
        <input
          type="checkbox"
          className="size-4 shrink-0 accent-accent"
          checked={offer.chosen}
          onChange={(event) => onChange({ chosen: event.target.checked })}
        />
        <span translate="no" className="min-w-0 font-medium break-all">
          {offer.name}
        </span>
      </label>
      {offer.chosen ? (
        priceFields.map((field) => (
          <Field key={field} label={t('start.sell.priceOf', { price: t(`price.${field}`), model: offer.name })} hideLabel>
            <span aria-hidden className="mb-1 block text-xs text-ink-3 sm:hidden">
              {t(`price.${field}`)}
            </span>
            <Input
              data-price={field}
              inputMode="decimal"
              autoComplete="off"
              className="nums h-8!"
              placeholder={field === 'cached' ? t('start.sell.cachedSame') : '0.00'}
              value={offer[field]}
              aria-invalid={(wrong && field !== 'cached' && offer[field].trim() === '') || undefined}
              onChange={(event) => onChange({ [field]: event.target.value, listPrice: false })}
            />
          </Field>
        ))
      ) : (
        <span className="hidden text-[13px] text-ink-3 sm:col-span-3 sm:block">{offer.input === '' ? t('start.sell.unpriced') : ''}</span>
      )}
    </li>
  )
}
