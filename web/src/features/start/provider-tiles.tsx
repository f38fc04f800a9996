import { useT } from '../../i18n/i18n.tsx'
import { cx } from '../../ui/cx.ts'
import { tiles, type Template } from './templates.ts'

/** One tile for each of the best-known providers; the last one stands for all others. */
export function ProviderTiles({ chosen, onChoose }: { chosen: Template | undefined; onChoose(template: Template): void }) {
  const t = useT()
  const labels: Partial<Record<string, string>> = { custom: t('start.provider.custom'), ollama: t('start.provider.local') }
  const isChosen = (one: Template) => one === chosen || (one.id === 'custom' && chosen !== undefined && !tiles.includes(chosen))
  return (
    <fieldset>
      <legend className="sr-only">{t('start.provider.choose')}</legend>
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
        {tiles.map((one) => (
          <label
            key={one.id}
            className={cx(
              'relative flex min-h-14 items-center gap-3 rounded-lg border bg-surface px-3 py-2 text-sm font-medium shadow-card transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent',
              isChosen(one) ? 'border-accent bg-accent-soft/50 ring-1 ring-accent' : 'border-line hover:border-line-strong',
            )}
          >
            <input type="radio" name="template" className="sr-only" checked={isChosen(one)} onChange={() => onChoose(one)} />
            <span aria-hidden className="grid size-7 shrink-0 place-items-center rounded-md bg-sunken text-[13px] font-semibold text-ink-2">
              {one.id === 'custom' ? '+' : one.name.slice(0, 1)}
            </span>
            <span className="min-w-0 leading-tight break-words">{labels[one.id] ?? one.name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
