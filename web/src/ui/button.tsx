import { LoaderCircle } from 'lucide-react'
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { cx } from './cx.ts'

type Variant = 'primary' | 'plain' | 'quiet' | 'danger'
type Size = 'sm' | 'md' | 'lg'

const variants: Record<Variant, string> = {
  primary: 'bg-accent text-accent-ink hover:bg-accent-hover shadow-card',
  plain: 'bg-surface text-ink border border-line hover:bg-hover shadow-card',
  quiet: 'text-ink-2 hover:text-ink hover:bg-hover',
  danger: 'bg-bad text-surface hover:opacity-90 shadow-card',
}
const sizes: Record<Size, string> = {
  sm: 'h-8 px-2.5 text-[13px] gap-1.5 coarse:h-11',
  md: 'h-9 px-3.5 text-sm gap-2 coarse:h-11',
  lg: 'h-11 px-5 text-[15px] gap-2',
}

/** The look of a button, also for links that act like one. */
export function buttonClass(variant: Variant = 'plain', size: Size = 'md'): string {
  return cx(
    'inline-flex items-center justify-center rounded-md font-medium whitespace-nowrap select-none transition-colors duration-100',
    'disabled:opacity-50 disabled:cursor-not-allowed aria-disabled:opacity-50',
    variants[variant],
    sizes[size],
  )
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant
  size?: Size
  /** Work is under way: the button says so and takes no second press. */
  busy?: boolean
}

export function Button({ variant, size, busy = false, className, children, disabled, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={cx(buttonClass(variant, size), className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <LoaderCircle size={15} className="animate-spin" aria-hidden />}
      {children}
    </button>
  )
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What the button does: its accessible name and its tooltip. */
  label: string
  children: ReactNode
  /** The tooltip's side; none where a menu opens. */
  tip?: 'below' | 'above' | 'none'
}

export function IconButton({ label, tip = 'below', className, children, type = 'button', ...rest }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      className={cx(
        'group/tip relative inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-2 transition-colors',
        'hover:bg-hover hover:text-ink coarse:size-11 disabled:opacity-50',
        className,
      )}
      {...rest}
    >
      {children}
      {tip !== 'none' && (
        <span
          aria-hidden
          className={cx(
            'pointer-events-none absolute right-1/2 z-50 w-max max-w-56 translate-x-1/2 rounded-sm bg-ink px-2 py-1 text-xs font-normal text-bg opacity-0 transition-opacity',
            'group-hover/tip:opacity-100 group-hover/tip:delay-400 group-focus-visible/tip:opacity-100 coarse:hidden',
            tip === 'below' ? 'top-full mt-1.5' : 'bottom-full mb-1.5',
          )}
        >
          {label}
        </span>
      )}
    </button>
  )
}
