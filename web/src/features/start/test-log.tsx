import { Circle, CircleCheck, CircleMinus, CircleX, LoaderCircle } from 'lucide-react'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { duration } from '../../i18n/numbers.ts'
import { stepIds, type TestState, type TestStep } from './channel-test.ts'

/** The test's ticks as they come; each failure has its cause and what to do. */
export function TestLog({ state }: { state: TestState }) {
  const t = useT()
  const { language } = useLanguage()
  const next = stepIds.find((id) => !state.steps.some((step) => step.id === id))
  return (
    <ol
      aria-live="polite"
      aria-label={t('start.test.log')}
      className="divide-y divide-line rounded-xl border border-line bg-surface shadow-card"
    >
      {stepIds.map((id) => {
        const step = state.steps.find((one) => one.id === id)
        const runs = state.ok === undefined && id === next
        return (
          <li key={id} className="flex gap-3 px-4 py-3">
            <span className="mt-0.5 shrink-0">
              {step?.status === 'ok' && <CircleCheck size={17} className="text-good" aria-label={t('start.test.ok')} role="img" />}
              {step?.status === 'failed' && <CircleX size={17} className="text-bad" aria-label={t('start.test.failed')} role="img" />}
              {step?.status === 'skipped' && (
                <CircleMinus size={17} className="text-ink-3" aria-label={t('start.test.skipped')} role="img" />
              )}
              {!step && runs && <LoaderCircle size={17} className="animate-spin text-accent-text" aria-hidden />}
              {!step && !runs && <Circle size={17} className="text-line-strong opacity-50" aria-hidden />}
            </span>
            <div className="min-w-0 flex-1">
              <p className={step || runs ? 'font-medium' : 'text-ink-3'}>{t(`start.test.${id}`)}</p>
              {step && <Detail step={step} state={state} />}
            </div>
            {step?.duration_ms !== undefined && step.status !== 'skipped' && (
              <span className="nums text-[13px] whitespace-nowrap text-ink-3">{duration(step.duration_ms, language)}</span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** What a tick found, in the reader's language; of a failure also the upstream's own words, in quotes. */
function Detail({ step, state }: { step: TestStep; state: TestState }) {
  const t = useT()
  const { language } = useLanguage()
  if (step.status === 'failed') {
    return (
      <>
        <p className="text-[13px] break-words text-ink-2">{t('start.test.said', { text: step.message })}</p>
        <p className="mt-1 text-[13px] text-ink">{t(`start.test.fix.${step.id}`)}</p>
      </>
    )
  }
  const answered = state.tested.find((model) => model.ok)
  const text =
    step.id === 'models' && step.status === 'ok'
      ? t('start.test.count', { count: state.models.length })
      : step.id === 'answer' && answered
        ? t('start.test.answered', { model: answered.model, time: duration(answered.total_ms ?? 0, language) })
        : step.id === 'tls' && step.status === 'skipped'
          ? t('start.test.plain')
          : step.id === 'models' && step.status === 'skipped'
            ? t('start.test.noList')
            : undefined
  return text === undefined ? null : <p className="text-[13px] break-words text-ink-2">{text}</p>
}
