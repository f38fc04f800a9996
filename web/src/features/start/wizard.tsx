import { useState } from 'react'
import { CallStep } from './call-step.tsx'
import { ProviderStep } from './provider-step.tsx'
import { SellStep } from './sell-step.tsx'
import type { WizardStep } from './step-rail.tsx'
import type { ProviderDraft, Upstream } from './upstream.ts'

type LaterStep = Exclude<WizardStep, 'access' | 'owner'>

/** Steps 3 to 5: connect, sell, call. The same on first run and at /dashboard/start. */
export function Wizard({ step, onStep }: { step: LaterStep; onStep(step: LaterStep): void }) {
  const [upstream, setUpstream] = useState<Upstream>()
  const [draft, setDraft] = useState<ProviderDraft>({ templateId: undefined, name: '', baseUrl: '', type: 'openai', apiKey: '' })
  const [model, setModel] = useState<string>()
  if (step === 'provider' || (step === 'sell' && !upstream)) {
    return (
      <ProviderStep
        draft={draft}
        onDraft={setDraft}
        connected={upstream}
        onConnected={(next) => {
          setUpstream(next)
          onStep('sell')
        }}
        onSkip={() => onStep('call')}
      />
    )
  }
  if (step === 'sell' && upstream) {
    return (
      <SellStep
        upstream={upstream}
        onBack={() => onStep('provider')}
        onSold={(sold) => {
          setModel(sold)
          // The key is not needed any more.
          setDraft({ ...draft, apiKey: '' })
          onStep('call')
        }}
      />
    )
  }
  return <CallStep model={model} onBack={() => onStep('provider')} />
}
