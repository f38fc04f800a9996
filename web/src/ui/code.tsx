import { useId, useRef, useState, type KeyboardEvent } from 'react'
import { useT } from '../i18n/i18n.tsx'
import { CopyButton } from './copy.tsx'
import { cx } from './cx.ts'

export interface CodeTab {
  readonly id: string
  readonly name: string
  readonly code: string
}

/** The same thing in several languages. One tab stop, arrows move between the tabs. */
export function CodeTabs({ tabs, label }: { tabs: readonly CodeTab[]; label: string }) {
  const t = useT()
  const id = useId()
  const [chosen, setChosen] = useState(tabs[0]?.id)
  const list = useRef<HTMLDivElement>(null)
  const current = tabs.find((tab) => tab.id === chosen) ?? tabs[0]
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === current?.id)
    const to =
      event.key === 'ArrowRight'
        ? at + 1
        : event.key === 'ArrowLeft'
          ? at - 1
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? tabs.length - 1
              : undefined
    if (to === undefined) return
    event.preventDefault()
    const next = (to + tabs.length) % tabs.length
    setChosen(tabs[next]?.id)
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[next]?.focus()
  }
  if (!current) return null
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-surface shadow-card">
      <div className="flex items-center gap-1 border-b border-line pr-2 pl-2">
        <div ref={list} role="tablist" aria-label={label} className="flex flex-1 overflow-x-auto" onKeyDown={move}>
          {tabs.map((tab) => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${id}-${tab.id}`}
              aria-selected={tab.id === current.id}
              aria-controls={`${id}-panel`}
              tabIndex={tab.id === current.id ? 0 : -1}
              onClick={() => setChosen(tab.id)}
              className={cx(
                '-mb-px h-10 border-b-2 px-3 text-[13px] font-medium whitespace-nowrap focus-visible:-outline-offset-3 coarse:h-11',
                tab.id === current.id ? 'border-accent text-ink' : 'border-transparent text-ink-3 hover:text-ink',
              )}
            >
              {tab.name}
            </button>
          ))}
        </div>
        <CopyButton text={current.code} label={t('common.copy')} />
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current.id}`}>
        <pre
          translate="no"
          tabIndex={0}
          aria-label={current.name}
          className="min-h-40 overflow-x-auto p-4 text-[13px] leading-relaxed text-ink focus-visible:-outline-offset-2"
        >
          <code>{current.code}</code>
        </pre>
      </div>
    </div>
  )
}
