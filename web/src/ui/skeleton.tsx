import { useEffect, useState } from 'react'
import { useT } from '../i18n/i18n.tsx'
import { cx } from './cx.ts'

/** A wait shorter than this shows nothing at all. */
const SHOW_AFTER_MS = 150

/** The place of data to come, in its final geometry; it appears after 150 ms. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx('shimmer rounded-md', className)} />
}

/** Rows to come. */
export function SkeletonRows({ rows = 5 }: { rows?: number }) {
  const t = useT()
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SHOW_AFTER_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div role="status" className={cx('space-y-3 p-4', !shown && 'invisible')}>
      <span className="sr-only">{t('common.loading')}</span>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} className="h-7" />
      ))}
    </div>
  )
}
