import { useEffect, useRef, type ReactNode } from 'react'
import { useSite } from '../site.tsx'
import { cx } from './cx.ts'

let navigated = false

/** Told by the router after the first page: from then on headings take the focus. */
export function markNavigated(): void {
  navigated = true
}

/** The page's one `h1`; it names the tab and takes the focus after a navigation. */
export function Heading({ title, className }: { title: string; className?: string }) {
  const { name } = useSite()
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · ${name}`
  }, [title, name])
  useEffect(() => {
    if (navigated) ref.current?.focus({ preventScroll: true })
  }, [])
  return (
    <h1 ref={ref} tabIndex={-1} className={cx(className !== 'hero' && 'text-[22px]', className)}>
      {title}
    </h1>
  )
}

/** A console page: heading, a sentence, actions, content. */
export function Page({ title, lead, actions, children }: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-[1120px] px-4 py-6 sm:px-8 sm:py-8">
      <div className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <Heading title={title} />
          {lead !== undefined && <p className="mt-1 max-w-2xl text-ink-2">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  )
}

/** A bounded surface. */
export function Card({
  title,
  actions,
  className,
  children,
}: {
  title?: string
  actions?: ReactNode
  className?: string
  children: ReactNode
}) {
  return (
    <section className={cx('overflow-hidden rounded-xl border border-line bg-surface shadow-card', className)} aria-label={title}>
      {title !== undefined && (
        <div className="flex min-h-12 items-center justify-between gap-3 border-b border-line px-4 py-2 sm:px-5">
          <h2 className="text-sm">{title}</h2>
          {actions}
        </div>
      )}
      {children}
    </section>
  )
}
