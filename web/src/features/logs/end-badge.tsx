import { CircleCheck, CircleDashed, CircleX } from 'lucide-react'
import { useT } from '../../i18n/i18n.tsx'
import { Badge } from '../../ui/badge.tsx'
import { endWords } from './words.ts'

/** How a call ended: icon and word, the billing rule in its title. */
export function EndBadge({ reason }: { reason: string }) {
  const t = useT()
  const words = endWords(reason)
  if (!words) return <Badge>{reason}</Badge>
  const Icon = words.tone === 'good' ? CircleCheck : words.tone === 'bad' ? CircleX : CircleDashed
  return (
    <Badge tone={words.tone} title={t(words.help)} icon={<Icon size={12} aria-hidden />}>
      {t(words.word)}
    </Badge>
  )
}
