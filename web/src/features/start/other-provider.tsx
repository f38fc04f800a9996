import { useT } from '../../i18n/i18n.tsx'
import { Field, Select } from '../../ui/field.tsx'
import { customTypes, otherTemplates, templateById, type Template } from './templates.ts'

interface OtherProviderProps {
  template: Template
  type: string
  onChoose(template: Template, type?: string): void
}

/** Providers without a tile, and the protocols that an address of one's own may speak. */
export function OtherProvider({ template, type, onChoose }: OtherProviderProps) {
  const t = useT()
  return (
    <Field label={t('start.provider.other')} className="sm:col-span-2">
      <Select
        name="type"
        value={template.id === 'custom' ? `own:${type}` : template.id}
        onChange={({ target: { value } }) => {
          const own = customTypes.find((one) => `own:${one.type}` === value)
          const next = templateById(own ? 'custom' : value)
          if (next) onChoose(next, own?.type)
        }}
      >
        <optgroup label={t('start.provider.ownAddress')}>
          {customTypes.map((one) => (
            <option key={one.type} value={`own:${one.type}`}>
              {one.name}
            </option>
          ))}
        </optgroup>
        <optgroup label={t('start.provider.makers')}>
          {otherTemplates.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </optgroup>
      </Select>
    </Field>
  )
}
