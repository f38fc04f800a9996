import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Rich } from '../../i18n/i18n.tsx'
import type { Key } from '../../i18n/en/index.ts'
import { Heading } from '../../ui/page.tsx'
import { Mark } from '../shell/brand.tsx'

/** The narrow column of the pages for visitors who want in. */
export function AuthFrame({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <div className="mx-auto flex w-full max-w-sm flex-col px-5 pt-[10vh] pb-16">
      <Mark size={40} />
      <Heading title={title} className="mt-5" />
      <p className="mt-1.5 mb-7 text-ink-2">{lead}</p>
      {children}
    </div>
  )
}

const look = 'font-medium text-accent hover:underline'
const targets = {
  '/login': {
    link: (text: string) => (
      <Link to="/login" className={look}>
        {text}
      </Link>
    ),
  },
  '/register': {
    link: (text: string) => (
      <Link to="/register" className={look}>
        {text}
      </Link>
    ),
  },
} as const

/** A line that leads from one of these pages to another. */
export function AuthLink({ k, to }: { k: Key; to: keyof typeof targets }) {
  return (
    <p className="mt-6 text-[13px] text-ink-2">
      <Rich k={k} parts={targets[to]} />
    </p>
  )
}

/** Where a page has nothing to offer. */
export function Notice({ children }: { children: ReactNode }) {
  return <p className="rounded-lg border border-line bg-sunken p-4 text-ink-2">{children}</p>
}
