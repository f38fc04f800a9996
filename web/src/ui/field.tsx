import { ChevronDown, Eye, EyeOff } from 'lucide-react'
import {
  createContext,
  use,
  useEffect,
  useId,
  useRef,
  useState,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from 'react'
import { useT } from '../i18n/i18n.tsx'
import { cx } from './cx.ts'

interface Ids {
  readonly id: string
  readonly describedBy: string | undefined
  readonly invalid: boolean
}
const FieldIds = createContext<Ids | undefined>(undefined)

interface FieldProps {
  label: string
  help?: ReactNode
  error?: string | undefined
  optional?: boolean
  /** The label is for screen readers only, where the place says what the field is. */
  hideLabel?: boolean
  className?: string
  children: ReactNode
}

/** A control with its label, help and error, tied together for assistive technology. */
export function Field({ label, help, error, optional = false, hideLabel = false, className, children }: FieldProps) {
  const t = useT()
  const id = useId()
  const describedBy = [help === undefined ? '' : `${id}-help`, error === undefined ? '' : `${id}-error`].filter(Boolean).join(' ')
  return (
    <FieldIds value={{ id, describedBy: describedBy === '' ? undefined : describedBy, invalid: error !== undefined }}>
      <div className={className}>
        <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1.5 flex items-baseline gap-2 text-[13px] font-medium text-ink'}>
          {label}
          {optional && <span className="text-xs font-normal text-ink-3">{t('common.optional')}</span>}
        </label>
        {children}
        {error !== undefined && (
          <p id={`${id}-error`} className="mt-1.5 text-[13px] text-bad">
            {error}
          </p>
        )}
        {help !== undefined && (
          <p id={`${id}-help`} className="mt-1.5 text-[13px] text-ink-3">
            {help}
          </p>
        )}
      </div>
    </FieldIds>
  )
}

const control = cx(
  'w-full rounded-md border bg-surface px-3 text-sm text-ink placeholder:text-ink-3 shadow-card transition-colors',
  'border-line-strong hover:border-ink-3 aria-invalid:border-bad disabled:opacity-60',
  'focus-visible:outline-2 focus-visible:-outline-offset-1 focus-visible:outline-accent',
)

function useIds() {
  const ids = use(FieldIds)
  return { id: ids?.id, 'aria-describedby': ids?.describedBy, 'aria-invalid': ids?.invalid || undefined }
}

export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input {...useIds()} className={cx(control, 'h-9 coarse:h-11', className)} {...rest} />
}

export function Textarea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea {...useIds()} className={cx(control, 'min-h-20 py-2', className)} {...rest} />
}

/** The platform's own select: right on phones, and it injects no style. */
export function Select({ className, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <div className="relative">
      <select {...useIds()} className={cx(control, 'h-9 appearance-none pr-9 text-ellipsis coarse:h-11', className)} {...rest} />
      <ChevronDown size={15} aria-hidden className="pointer-events-none absolute top-1/2 right-3 -translate-y-1/2 text-ink-3" />
    </div>
  )
}

/** A secret that can be looked at. Managers fill it; upstream keys turn that off with `autoComplete`. */
export function SecretInput({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  const t = useT()
  const [shown, setShown] = useState(false)
  return (
    <div className="relative">
      <input
        {...useIds()}
        type={shown ? 'text' : 'password'}
        spellCheck={false}
        className={cx(control, 'h-9 pr-10 coarse:h-11', className)}
        {...rest}
      />
      <button
        type="button"
        aria-label={t(shown ? 'common.hide' : 'common.show')}
        aria-pressed={shown}
        className="absolute inset-y-0 right-0 grid w-9 place-items-center rounded-md text-ink-3 hover:text-ink coarse:w-11"
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
      </button>
    </div>
  )
}

/** Lines that a secret of many lines is shown in at most; the rest is scrolled to. */
const MAX_SECRET_LINES = 8

/** A secret that may have several lines, which a password field would throw away. It grows with them. */
export function SecretTextarea({ className, value, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement> & { value: string }) {
  const t = useT()
  const [shown, setShown] = useState(false)
  return (
    <div className="relative">
      <textarea
        {...useIds()}
        rows={Math.min(MAX_SECRET_LINES, value.split('\n').length)}
        wrap="off"
        value={value}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        className={cx(
          control,
          'block min-h-9 resize-none overflow-x-hidden py-2 pr-10 leading-[18px] coarse:min-h-11 coarse:py-3',
          !shown && value !== '' && '[-webkit-text-security:disc]',
          className,
        )}
        {...rest}
      />
      <button
        type="button"
        aria-label={t(shown ? 'common.hide' : 'common.show')}
        aria-pressed={shown}
        className="absolute top-px right-px grid h-8 w-9 place-items-center rounded-md bg-surface text-ink-3 hover:text-ink coarse:h-10 coarse:w-11"
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
      </button>
    </div>
  )
}

/** What is wrong with a form as a whole; takes the focus so that it is heard. */
export function FormError({ children }: { children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null)
  // Once, when it appears: while the person mends the form the focus stays in the field.
  useEffect(() => ref.current?.focus(), [])
  return (
    <div
      role="alert"
      tabIndex={-1}
      ref={ref}
      className="rounded-md border border-bad/30 bg-bad-soft px-3.5 py-2.5 text-sm text-bad outline-none"
    >
      {children}
    </div>
  )
}
