import { Link } from '@tanstack/react-router'
import { useSite } from '../../site.tsx'

/** The mark: a raised barrier. The owner's icon replaces it. */
export function Mark({ size = 26 }: { size?: number }) {
  const { settings } = useSite()
  if (settings.icon_url) return <img src={settings.icon_url} alt="" width={size} height={size} className="rounded-md object-contain" />
  return (
    <svg width={size} height={size} aria-hidden>
      <use href="/icons.svg#mark" />
    </svg>
  )
}

/** Mark and site name, a link home. */
export function Brand({ to = '/' }: { to?: '/' | '/dashboard' }) {
  const { name } = useSite()
  return (
    <Link to={to} className="flex min-w-0 items-center gap-2.5 rounded-md">
      <Mark />
      <span translate="no" className="truncate text-[15px] font-semibold tracking-tight">
        {name}
      </span>
    </Link>
  )
}
