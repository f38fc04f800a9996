import { Circle, CircleCheck, CircleMinus, CircleX, LoaderCircle } from 'lucide-react'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { duration } from '../../i18n/numbers.ts'
import { stepIds, type TestState } from './channel-test.ts'

/** The test's ticks as they come; each failure has its cause and what to do. */
export function TestLog({ state }: { state: TestState }) {
  const t = useT()
  const { language } = useLanguage()
  const next = stepIds.find((id) => !state.steps.some((step) => step.id === id))
  return (
    <ol aria-live="polite" aria-label={t('start.test.log')} className="divide-y divide-line rounded-xl border border-line bg-surface shadow-card">
      {stepIds.map((id) => {
        const step = state.steps.find((one) => one.id === id)
        const runs = state.ok === undefined && id === next
        return (
          <li key={id} className="flex gap-3 px-4 py-3">
            <span className="mt-0.5 shrink-0">
              {step?.status === 'ok' && <CircleCheck size={17} className="text-good" aria-label={t('start.test.ok')} role="img" />}
              {step?.status === 'failed' && <CircleX size={17} className="text-bad" aria-label={t('start.test.failed')} role="img" />}
              {step?.status === 'skipped' && <CircleMinus size={17} className="text-ink-3" aria-label={t('start.test.skipped')} role="img" />}
              {!step && runs && <LoaderCircle size={17} className="animate-spin text-accent-text" aria-hidden />}
              {!step && !runs && <Circle size={17} className="text-line-strong opacity-50" aria-hidden />}
            </span>
            <div className="min-w-0 flex-1">
              <p className={step || runs ? 'font-medium' : 'text-ink-3'}>{t(`start.test.${id}`)}</p>
              {step?.message && <p className="text-[13px] break-words text-ink-2">{step.message}</p>}
              {step?.hint && <p className="mt-1 text-[13px] break-words text-ink">{step.hint}</p>}
            </div>
            {step?.duration_ms !== undefined && step.status !== 'skipped' && <span className="nums text-[13px] whitespace-nowrap text-ink-3">{duration(step.duration_ms, language)}</span>}
          </li>
        )
      })}
    </ol>
  )
}
