import { cx } from '../../ui/cx.ts'

const colours: Readonly<Record<string, string>> = {
  GET: 'text-ink-3',
  POST: 'text-good',
  PUT: 'text-warn',
  DELETE: 'text-bad',
}

/** The method of an operation, all of one width so that addresses stand below each other. */
export function Method({ name, className }: { name: string; className?: string }) {
  return (
    <span translate="no" className={cx('font-mono text-[11px] font-semibold', colours[name], className)}>
      {name === 'DELETE' ? 'DEL' : name}
    </span>
  )
}
