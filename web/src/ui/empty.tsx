import type { ReactNode } from 'react'

/** Nothing here yet: what this place is for, and the one thing to do. */
export function Empty({ icon, title, text, action }: { icon?: ReactNode; title: string; text?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      {icon !== undefined && (
        <div className="mb-4 grid size-11 place-items-center rounded-full border border-line bg-sunken text-ink-3">{icon}</div>
      )}
      <p className="text-[15px] font-semibold">{title}</p>
      {text !== undefined && <p className="mt-1 max-w-sm text-ink-2">{text}</p>}
      {action !== undefined && <div className="mt-5">{action}</div>}
    </div>
  )
}
