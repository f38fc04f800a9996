import { useState } from 'react'
import { StepRail, type WizardStep } from './step-rail.tsx'
import { Wizard } from './wizard.tsx'

const steps: readonly WizardStep[] = ['provider', 'sell', 'call']

/** Steps 3 to 5 again, from inside the console. */
export function StartPage() {
  const [step, setStep] = useState<WizardStep>('provider')
  return (
    <div className="mx-auto grid w-full max-w-[1120px] gap-x-14 gap-y-6 px-4 py-6 sm:px-8 sm:py-8 lg:grid-cols-[minmax(0,1fr)_230px]">
      <div className="lg:order-2 lg:border-l lg:border-line lg:pt-1 lg:pl-8">
        <StepRail steps={steps} current={step} />
      </div>
      <div className="min-w-0">{step !== 'access' && step !== 'owner' && <Wizard step={step} onStep={setStep} />}</div>
    </div>
  )
}
