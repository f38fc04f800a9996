import { useLanguage } from '../i18n/i18n.tsx'
import { exactMoney, shortMoney } from '../i18n/numbers.ts'
import { useSite } from '../site.tsx'
import { cx } from './cx.ts'

interface AmountProps {
  value: string
  /** All digits. */
  exact?: boolean
  /** What somebody has: its short form is rounded down. */
  balance?: boolean
  className?: string
}

/** An amount: short with all digits in its title, or exact. */
export function Amount({ value, exact = false, balance = false, className }: AmountProps) {
  const { language } = useLanguage()
  const symbol = useSite().currency
  const full = exactMoney(value, symbol, language)
  return (
    <span translate="no" title={full} className={cx('nums whitespace-nowrap', className)}>
      {exact ? full : shortMoney(value, symbol, language, balance ? 'down' : 'half_up')}
    </span>
  )
}
