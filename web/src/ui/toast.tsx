import { CircleCheck, TriangleAlert, X } from 'lucide-react'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useT } from '../i18n/i18n.tsx'
import { IconButton } from './button.tsx'

/** Good news goes by itself after this; errors stay until they are read. */
const GOOD_MS = 5_000

interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
}

let toasts: readonly Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

function change(next: readonly Toast[]) {
  toasts = next
  for (const listener of listeners) listener()
}

/** Says something whose place on the page is gone. */
export function toast(text: string, tone: Toast['tone'] = 'good'): void {
  change([...toasts, { id: nextId++, tone, text }])
}

function Row({ toast: { id, tone, text } }: { toast: Toast }) {
  const t = useT()
  const [paused, setPaused] = useState(false)
  const close = () => change(toasts.filter((other) => other.id !== id))
  useEffect(() => {
    if (paused || tone === 'bad') return
    const timer = setTimeout(() => change(toasts.filter((other) => other.id !== id)), GOOD_MS)
    return () => clearTimeout(timer)
  }, [paused, tone, id])
  return (
    <div
      onMouseEnter={() => setPaused(true)}
      onMouseLeave={() => setPaused(false)}
      onFocus={() => setPaused(true)}
      onBlur={() => setPaused(false)}
      className="pointer-events-auto flex items-center gap-2.5 animate-rise rounded-lg border border-line bg-surface py-2 pr-2 pl-3.5 shadow-float"
    >
      {tone === 'good' ? (
        <CircleCheck size={17} className="text-good" aria-hidden />
      ) : (
        <TriangleAlert size={17} className="text-bad" aria-hidden />
      )}
      <span className="text-sm">{text}</span>
      <IconButton label={t('common.dismiss')} tip="none" onClick={close}>
        <X size={15} aria-hidden />
      </IconButton>
    </div>
  )
}

/** Where toasts appear; one for the page. */
export function ToastRegion() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div aria-live="polite" className="pointer-events-none fixed inset-x-4 bottom-4 z-60 flex flex-col items-center gap-2 sm:items-end">
      {shown.map((row) => (
        <Row key={row.id} toast={row} />
      ))}
    </div>
  )
}
