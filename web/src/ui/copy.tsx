import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useT } from '../i18n/i18n.tsx'
import { Button, IconButton } from './button.tsx'

/** How long "copied" is shown. */
const SHOWN_MS = 1_800

/**
 * Copies a text, also on plain http where `navigator.clipboard` is missing: the field for the selection is put
 * inside the open dialog, because a focus trap would take the focus back from anywhere else.
 * @returns whether it worked
 */
export async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      // Refused by the browser: the old way below may still do.
    }
  }
  const before = document.activeElement
  const place = before?.closest('[role="dialog"]') ?? document.body
  const field = document.createElement('textarea')
  field.value = text
  field.setAttribute('readonly', '')
  field.className = 'fixed top-0 left-0 size-px opacity-0'
  place.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus()
  return copied
}

function useCopied(text: string) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  const run = async () => setState((await copyText(text)) ? 'copied' : 'failed')
  return { state, run }
}

/** Copies with one press and says so. */
export function CopyButton({ text, label, variant = 'icon' }: { text: string; label: string; variant?: 'icon' | 'plain' | 'primary' }) {
  const t = useT()
  const { state, run } = useCopied(text)
  const icon =
    state === 'copied' ? (
      <Check size={15} className={variant === 'primary' ? undefined : 'text-good'} aria-hidden />
    ) : (
      <Copy size={15} aria-hidden />
    )
  const said = state === 'copied' ? t('common.copied') : state === 'failed' ? t('common.copyFailed') : label
  if (variant === 'icon') {
    return (
      <>
        <IconButton label={said} onClick={() => void run()}>
          {icon}
        </IconButton>
        <span role="status" className="sr-only">
          {state === 'idle' ? '' : said}
        </span>
      </>
    )
  }
  return (
    <Button variant={variant} onClick={() => void run()} aria-live="polite">
      {icon}
      {said}
    </Button>
  )
}
