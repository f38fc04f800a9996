import { cx } from './cx.ts'

interface SwitchProps {
  label: string
  checked: boolean
  disabled?: boolean
  onChange(checked: boolean): void
}

/** On or off, in force at once. Waits for the server: the caller disables it meanwhile. */
export function Switch({ label, checked, disabled = false, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      disabled={disabled}
      onClick={() => onChange(!checked)}
      className={cx(
        'relative h-5.5 w-9.5 shrink-0 rounded-full border transition-colors disabled:opacity-50',
        checked ? 'border-accent bg-accent' : 'border-line-strong bg-sunken',
      )}
    >
      <span
        className={cx(
          'absolute top-1/2 left-0.5 size-4 -translate-y-1/2 rounded-full transition-transform',
          checked ? 'translate-x-4 bg-accent-ink' : 'bg-ink-3',
        )}
      />
    </button>
  )
}
