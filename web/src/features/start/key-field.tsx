import { ExternalLink } from 'lucide-react'
import { useT } from '../../i18n/i18n.tsx'
import { Field, SecretTextarea } from '../../ui/field.tsx'
import type { Template } from './templates.ts'

/** A pasted text this long is a whole key, and the test may start without another press. */
const WHOLE_KEY = 12

interface KeyFieldProps {
  template: Template
  value: string
  error: string | undefined
  /** A key is stored already. */
  kept: boolean
  /** Everything else is filled in: a pasted key starts the test. */
  ready: boolean
  autoFocus: boolean
  onChange(value: string): void
  onPasted(value: string): void
  onEnter(): void
}

/** The provider's key as it is: one, several in lines, or a cloud's key file of many lines. */
export function KeyField({ template, value, error, kept, ready, autoFocus, onChange, onPasted, onEnter }: KeyFieldProps) {
  const t = useT()
  const link = template.keysAt ?? template.docs
  return (
    <Field
      className="sm:col-span-2"
      label={t('start.provider.key')}
      optional={template.keyOptional}
      error={error}
      help={
        <>
          {t('start.provider.keyHelp')}{' '}
          {link !== '' && (
            <a
              href={link}
              target="_blank"
              rel="noreferrer"
              className="inline-flex items-center gap-1 text-accent-text underline underline-offset-2"
            >
              {t(template.keysAt === undefined ? 'start.provider.docsOf' : 'start.provider.keysAt', { provider: template.name })}
              <ExternalLink size={12} aria-hidden />
            </a>
          )}
        </>
      }
    >
      <SecretTextarea
        name="apiKey"
        autoComplete="off"
        data-1p-ignore
        data-lpignore="true"
        autoFocus={autoFocus}
        placeholder={kept ? t('start.provider.keyKept') : template.keyHint}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData('text').trim()
          if (value !== '' || pasted.length < WHOLE_KEY || !ready) return
          event.preventDefault()
          onPasted(pasted)
        }}
        onKeyDown={(event) => {
          // One key is sent by Enter like any form; in a text of several lines Enter is one more.
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || value.includes('\n')) return
          event.preventDefault()
          onEnter()
        }}
      />
    </Field>
  )
}
