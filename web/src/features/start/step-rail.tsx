import { Check } from 'lucide-react'
import { useT } from '../../i18n/i18n.tsx'
import { cx } from '../../ui/cx.ts'

export const wizardSteps = ['access', 'owner', 'provider', 'sell', 'call'] as const
export type WizardStep = (typeof wizardSteps)[number]

/** Where in the wizard one is: a list for the eye and for screen readers; bars on a phone. */
export function StepRail({ steps, current }: { steps: readonly WizardStep[]; current: WizardStep }) {
  const t = useT()
  const at = steps.indexOf(current)
  return (
    <>
      <ol className="hidden space-y-1 lg:block" aria-label={t('start.steps')}>
        {steps.map((step, index) => (
          <li key={step} aria-current={step === current ? 'step' : undefined} className="relative flex gap-3 pb-5 last:pb-0">
            {index < steps.length - 1 && (
              <span aria-hidden className={cx('absolute top-7 bottom-0 left-[12.5px] w-px', index < at ? 'bg-accent' : 'bg-line')} />
            )}
            <span
              aria-hidden
              className={cx(
                'nums grid size-[26px] shrink-0 place-items-center rounded-full border text-xs font-semibold',
                index < at && 'border-accent bg-accent text-accent-ink',
                index === at && 'border-accent text-accent-text ring-3 ring-accent-soft',
                index > at && 'border-line text-ink-3',
              )}
            >
              {index < at ? <Check size={14} /> : index + 1}
            </span>
            <div className="pt-0.5">
              <p className={cx('font-medium', index > at && 'text-ink-3')}>
                {t(`start.step.${step}`)}
                {index < at && <span className="sr-only"> {t('start.stepDone')}</span>}
              </p>
              <p className="text-[13px] text-ink-3">{t(`start.step.${step}.what`)}</p>
            </div>
          </li>
        ))}
      </ol>
      <div className="lg:hidden">
        <p className="text-[13px] text-ink-3">{t('start.stepOf', { step: at + 1, steps: steps.length })}</p>
        <div aria-hidden className="mt-2 flex gap-1.5">
          {steps.map((step, index) => (
            <span key={step} className={cx('h-1 flex-1 rounded-full', index <= at ? 'bg-accent' : 'bg-line')} />
          ))}
        </div>
      </div>
    </>
  )
}
