import { useLanguage } from '../i18n/i18n.tsx'
import { exactMoney, shortMoney } from '../i18n/numbers.ts'
import { useSite } from '../site.tsx'
import { cx } from './cx.ts'

/** An amount: short with all digits in its title, or exact. */
export function Amount({ value, exact = false, className }: { value: string; exact?: boolean; className?: string }) {
  const { language } = useLanguage()
  const symbol = useSite().currency
  const full = exactMoney(value, symbol, language)
  return <span translate="no" title={full} className={cx('nums whitespace-nowrap', className)}>{exact ? full : shortMoney(value, symbol, language)}</span>
}
