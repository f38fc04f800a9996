import { useState } from 'react'
import { useT } from '../../i18n/i18n.tsx'
import { Field, Input } from '../../ui/field.tsx'

/** Above this many a search field helps. */
const SEARCH_FROM = 9

interface ModelPickerProps {
  models: readonly string[]
  /** undefined: every model, also those to come. */
  chosen: readonly string[] | undefined
  error: string | undefined
  onChange(models: readonly string[] | undefined): void
}

/** Every model, or the ticked ones. */
export function ModelPicker({ models, chosen, error, onChange }: ModelPickerProps) {
  const t = useT()
  const [search, setSearch] = useState('')
  const shown = models.filter((model) => model.toLowerCase().includes(search.trim().toLowerCase()))
  const choice = (value: boolean, label: string) => (
    <label className="flex min-h-8 items-center gap-2.5 coarse:min-h-11">
      <input
        type="radio"
        name="models"
        className="size-4 accent-accent"
        checked={(chosen !== undefined) === value}
        onChange={() => onChange(value ? [] : undefined)}
      />
      {label}
    </label>
  )
  return (
    <fieldset>
      <legend className="mb-1 text-[13px] font-medium">{t('keys.models')}</legend>
      {choice(false, t('keys.modelsAll', { count: models.length }))}
      {choice(true, t('keys.modelsSome'))}
      {chosen !== undefined && (
        <div className="mt-2 rounded-lg border border-line">
          {models.length >= SEARCH_FROM && (
            <Field label={t('start.sell.search')} hideLabel className="border-b border-line p-2">
              <Input
                type="search"
                placeholder={t('start.sell.search')}
                value={search}
                onChange={(event) => setSearch(event.target.value)}
              />
            </Field>
          )}
          <ul className="max-h-52 overflow-y-auto p-2">
            {shown.map((model) => (
              <li key={model}>
                <label className="flex min-h-8 items-center gap-2.5 rounded-md px-2 hover:bg-hover coarse:min-h-11">
                  <input
                    type="checkbox"
                    className="size-4 accent-accent"
                    checked={chosen.includes(model)}
                    onChange={(event) => onChange(event.target.checked ? [...chosen, model] : chosen.filter((other) => other !== model))}
                  />
                  <span translate="no" className="break-all">
                    {model}
                  </span>
                </label>
              </li>
            ))}
          </ul>
        </div>
      )}
      {error !== undefined && (
        <p role="alert" className="mt-1.5 text-[13px] text-bad">
          {error}
        </p>
      )}
    </fieldset>
  )
}
