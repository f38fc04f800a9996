import { useEffect, useState } from 'react'
import { useLanguage } from '../i18n/i18n.tsx'
import { absoluteTime, relativeTime } from '../i18n/numbers.ts'

/** Relative times are drawn anew this often. */
const TICK_MS = 30_000

/** A point in time: relative with the absolute one in its title, or absolute with the zone. */
export function Time({ value, absolute = false }: { value: string; absolute?: boolean }) {
  const { language } = useLanguage()
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    if (absolute) return
    const timer = setInterval(() => setNow(new Date()), TICK_MS)
    return () => clearInterval(timer)
  }, [absolute])
  const instant = new Date(value)
  const full = absoluteTime(instant, language)
  return (
    <time dateTime={value} title={full} className="nums whitespace-nowrap">
      {absolute ? full : relativeTime(instant, now, language)}
    </time>
  )
}
