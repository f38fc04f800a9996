import { useState } from 'react'
import { CallStep } from './call-step.tsx'
import { ProviderStep } from './provider-step.tsx'
import { SellStep } from './sell-step.tsx'
import type { WizardStep } from './step-rail.tsx'
import { templates, type Template } from './templates.ts'

/** The upstream the wizard works on; kept when one goes back to mend the key. */
export interface Upstream { readonly channelId: number; readonly name: string; readonly baseUrl: string; readonly template: Template }

/** What the form of the provider step holds; it survives going forth and back. */
export interface ProviderDraft { templateId: string | undefined; name: string; baseUrl: string; type: string; apiKey: string }

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

/** The template of a channel that was connected before: by its address, else the custom one. */
export function templateOf(baseUrl: string): Template | undefined {
  return templates.find((template) => template.baseUrl !== '' && template.baseUrl === baseUrl) ?? templates.at(-1)
}
