import { Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { useDeferredValue, useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useT } from '../../i18n/i18n.tsx'
import { cx } from '../../ui/cx.ts'
import { Field, Input } from '../../ui/field.tsx'
import { search, type Operation } from './document.ts'
import { Method } from './method.tsx'

/** All operations by area, narrowed by a search. `/` goes to the search, arrows move through what it found. */
export function OperationList({ operations, chosen }: { operations: readonly Operation[]; chosen: string | undefined }) {
  const t = useT()
  const [text, setText] = useState('')
  const found = search(operations, useDeferredValue(text))
  const field = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLElement>(null)
  useEffect(() => {
    const toSearch = (event: globalThis.KeyboardEvent) => {
      const { target } = event
      const writes = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
      if (event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      field.current?.querySelector('input')?.focus()
    }
    addEventListener('keydown', toSearch)
    return () => removeEventListener('keydown', toSearch)
  }, [])
  // Whoever came by a link sees where he is in the list; the page itself stays where it is.
  useEffect(() => {
    const link = list.current?.querySelector<HTMLElement>('[aria-current]')
    const box = link?.closest('aside')
    if (link && box) box.scrollTop = link.offsetTop - box.clientHeight / 2
  }, [])
  const move = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (by === 0) return
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a') ?? [])]
    const at = links.findIndex((link) => link === document.activeElement)
    event.preventDefault()
    if (at + by < 0) field.current?.querySelector('input')?.focus()
    else links[Math.min(at + by, links.length - 1)]?.focus()
  }
  const groups = Map.groupBy(found, ({ tag }) => tag)
  return (
    <div onKeyDown={move}>
      <div ref={field} className="relative">
        <Field label={t('reference.search')} hideLabel>
          <Input
            type="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
            placeholder={t('reference.search')}
            className="pl-9"
            autoComplete="off"
            spellCheck={false}
          />
        </Field>
        <Search size={15} aria-hidden className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-ink-3" />
      </div>
      <p role="status" className="mt-2 text-xs text-ink-3">
        {t('reference.found', { count: found.length })}
      </p>
      <nav ref={list} aria-label={t('reference.operations')} className="mt-3 space-y-5">
        {[...groups].map(([tag, members]) => (
          <section key={tag} aria-label={tag}>
            <h2 translate="no" className="mb-1 px-2 text-xs font-medium text-ink-3">
              {tag}
            </h2>
            <ul>
              {members.map((operation) => (
                <li key={operation.id}>
                  <Link
                    to="/docs/api"
                    search={{ op: operation.id }}
                    resetScroll={false}
                    aria-current={operation.id === chosen ? 'page' : undefined}
                    className={cx(
                      'flex items-baseline gap-2 rounded-md px-2 py-1.5 text-[13px] transition-colors coarse:py-2.5',
                      operation.id === chosen ? 'bg-accent-soft text-accent-text' : 'text-ink-2 hover:bg-hover hover:text-ink',
                    )}
                  >
                    <Method name={operation.method} className="w-8 shrink-0" />
                    <span translate="no" className="min-w-0 break-words [overflow-wrap:anywhere]">
                      {operation.path}
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
    </div>
  )
}
