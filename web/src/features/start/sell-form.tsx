import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useMemo, useState, type FormEvent } from 'react'
import type { Model } from '../../api/types.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { amountInput, isPositive } from '../../i18n/numbers.ts'
import { useSite } from '../../site.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { LIST_PRICES_NOTED, listPrice } from './list-prices.ts'
import { SellRow, type Offer } from './sell-row.tsx'
import { sellModels } from './sell-models.ts'

/** Ticked by themselves at most; the rest waits for a hand. */
const MAX_SUGGESTED = 8
/** A provider with hundreds of models is searched, not scrolled. */
const MAX_ROWS = 40

interface SellFormProps {
  channelId: number
  listed: readonly string[]
  suggested: readonly string[]
  existing: readonly Model[]
  onSold(model: string): void
}

/** Picks models and their prices. Without a price nothing is sold; zero has to be meant. */
export function SellForm({ channelId, listed, suggested, existing, onSold }: SellFormProps) {
  const t = useT()
  const { language } = useLanguage()
  const { currency } = useSite()
  const client = useQueryClient()
  const [offers, setOffers] = useState<readonly Offer[]>(() => firstOffers(listed, suggested, existing))
  const [search, setSearch] = useState('')
  const [typed, setTyped] = useState('')
  const [checked, setChecked] = useState(false)
  const [done, setDone] = useState(0)
  const chosen = offers.filter((offer) => offer.chosen)
  const fromList = chosen.some((offer) => offer.listPrice)
  const shown = useMemo(() => {
    const word = search.trim().toLowerCase()
    return offers.filter((offer) => offer.name.toLowerCase().includes(word)).slice(0, MAX_ROWS)
  }, [offers, search])
  const hidden = offers.filter((offer) => offer.name.toLowerCase().includes(search.trim().toLowerCase())).length - shown.length

  const sell = useMutation({
    mutationFn: () => sellModels(channelId, chosen, existing, setDone),
    onSuccess: async () => {
      await Promise.all(['models', 'public-models', 'catalog', 'channels'].map((name) => client.invalidateQueries({ queryKey: [name] })))
      const [first] = chosen
      if (first) onSold(first.name)
    },
  })
  const change = (name: string, part: Partial<Offer>) =>
    setOffers((all) => all.map((offer) => (offer.name === name ? { ...offer, ...part } : offer)))
  const wrong = (offer: Offer) =>
    [offer.input, offer.output].some((text) => amountInput(text) === undefined) ||
    (offer.cached !== '' && amountInput(offer.cached) === undefined)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setChecked(true)
    const bad = chosen.find(wrong)
    if (chosen.length > 0 && !bad) return sell.mutate()
    event.currentTarget.querySelector<HTMLInputElement>('[aria-invalid="true"], input[data-price][value=""]')?.focus()
  }
  const add = () => {
    const name = typed.trim()
    if (name === '') return
    if (offers.some((offer) => offer.name === name)) change(name, { chosen: true })
    else setOffers([offerOf(name, true, existing), ...offers])
    setTyped('')
  }
  const free = chosen.filter(
    (offer) => !wrong(offer) && !isPositive(amountInput(offer.input) ?? '') && !isPositive(amountInput(offer.output) ?? ''),
  )
  return (
    <form onSubmit={submit} noValidate className="mt-8 animate-rise">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 className="text-base">{t('start.sell.pick')}</h2>
          <p className="mt-0.5 text-[13px] text-ink-3">{t('start.sell.perMillion', { currency })}</p>
        </div>
        {offers.length > MAX_SUGGESTED && (
          <Field label={t('start.sell.search')} hideLabel className="w-full sm:w-56">
            <Input type="search" placeholder={t('start.sell.search')} value={search} onChange={(event) => setSearch(event.target.value)} />
          </Field>
        )}
      </div>
      <div className="mt-3 overflow-hidden rounded-xl border border-line bg-surface shadow-card">
        <div
          aria-hidden
          className="hidden grid-cols-[minmax(0,1fr)_repeat(3,104px)] gap-2 border-b border-line bg-sunken/60 px-4 py-2 text-xs font-medium text-ink-3 sm:grid"
        >
          <span>{t('start.sell.model')}</span>
          <span>{t('price.input')}</span>
          <span>{t('price.output')}</span>
          <span>{t('price.cached')}</span>
        </div>
        <ul className="max-h-[420px] divide-y divide-line overflow-y-auto">
          {shown.map((offer) => (
            <SellRow
              key={offer.name}
              offer={offer}
              wrong={checked && offer.chosen && wrong(offer)}
              onChange={(part) => change(offer.name, part)}
            />
          ))}
        </ul>
        {offers.length === 0 && <p className="px-4 py-6 text-center text-ink-2">{t('start.sell.noneListed')}</p>}
        {hidden > 0 && <p className="border-t border-line px-4 py-2 text-[13px] text-ink-3">{t('start.sell.more', { count: hidden })}</p>}
      </div>
      <div className="mt-3 flex max-w-md items-end gap-2">
        <Field label={t('start.sell.addName')} className="flex-1">
          <Input
            value={typed}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return
              event.preventDefault()
              add()
            }}
          />
        </Field>
        <Button onClick={add}>
          <Plus size={15} aria-hidden />
          {t('start.sell.add')}
        </Button>
      </div>
      {fromList && (
        <p className="mt-4 text-[13px] text-ink-3">
          {t('start.sell.listPrices', {
            date: new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long' }).format(new Date(LIST_PRICES_NOTED)),
          })}
        </p>
      )}
      <div aria-live="polite" className="mt-4 space-y-3 empty:hidden">
        {checked && chosen.length === 0 && <p className="text-bad">{t('start.sell.noneChosen')}</p>}
        {checked && chosen.some(wrong) && <p className="text-bad">{t('start.sell.priceMissing')}</p>}
        {free.length > 0 && (
          <p className="rounded-lg bg-warn-soft px-3.5 py-2.5 text-ink">
            {t('start.sell.free', { names: free.map((offer) => offer.name).join(', ') })}
          </p>
        )}
        {sell.isError && <ErrorPanel error={sell.error} title={t('start.sell.saveFailed', { done, count: chosen.length })} />}
      </div>
      <Button type="submit" variant="primary" className="mt-6" busy={sell.isPending}>
        {sell.isPending ? t('start.sell.saving', { done, total: chosen.length }) : t('start.sell.submit', { count: chosen.length })}
      </Button>
    </form>
  )
}

function firstOffers(listed: readonly string[], suggested: readonly string[], existing: readonly Model[]): Offer[] {
  const known = suggested.filter((name) => listed.includes(name)).slice(0, MAX_SUGGESTED)
  // A provider with few models, or one that lists none: what there is is what is meant.
  const ticked = known.length > 0 ? known : listed.length === 0 ? suggested.slice(0, 1) : listed.length <= MAX_SUGGESTED ? listed : []
  const rest = [...listed].filter((name) => !ticked.includes(name)).sort((a, b) => a.localeCompare(b))
  return [...ticked.map((name) => offerOf(name, true, existing)), ...rest.map((name) => offerOf(name, false, existing))]
}

/** A model that is on sale already keeps its prices; a known one starts from the list price. */
function offerOf(name: string, chosen: boolean, existing: readonly Model[]): Offer {
  const sold = existing.find((model) => model.model_name === name)
  if (sold && (isPositive(sold.input_price) || isPositive(sold.output_price))) {
    return {
      name,
      chosen,
      input: sold.input_price,
      output: sold.output_price,
      cached: isPositive(sold.cached_input_price) ? sold.cached_input_price : '',
      listPrice: false,
    }
  }
  const list = listPrice(name)
  return { name, chosen, input: list?.input ?? '', output: list?.output ?? '', cached: list?.cached ?? '', listPrice: list !== undefined }
}
