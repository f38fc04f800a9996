import { useQueryClient } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { useState } from 'react'
import { readToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Mark } from '../shell/brand.tsx'
import { LanguageMenu, ThemeMenu } from '../shell/preferences-menus.tsx'
import { AccessStep } from './access-step.tsx'
import { isLoopback } from './loopback.ts'
import { OwnerStep, type OwnerDraft } from './owner-step.tsx'
import { StepRail, wizardSteps, type WizardStep } from './step-rail.tsx'
import { Wizard } from './wizard.tsx'

/** First run: five steps from an empty server to the first answer. */
export function SetupPage() {
  const t = useT()
  const site = useSite()
  const client = useQueryClient()
  const [firstRun] = useState(site.setupRequired)
  const [step, setStep] = useState<WizardStep>(isLoopback(location.hostname) ? 'owner' : 'access')
  const [refused, setRefused] = useState(false)
  const [draft, setDraft] = useState<OwnerDraft>({ site_name: site.name, username: '', email: '', password: '' })
  if (!firstRun) return readToken() === undefined ? <Navigate to="/login" replace /> : <Navigate to="/dashboard/start" replace />
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[340px_minmax(0,1fr)]">
      <aside className="border-b border-line bg-sunken/70 px-5 py-4 lg:sticky lg:top-0 lg:flex lg:h-dvh lg:flex-col lg:border-r lg:border-b-0 lg:px-8 lg:py-8">
        <div className="mb-4 flex items-center justify-between lg:mb-12">
          <div className="flex items-center gap-2.5">
            <Mark />
            <span translate="no" className="text-[15px] font-semibold tracking-tight">
              {site.name}
            </span>
          </div>
          <div className="flex lg:hidden">
            <LanguageMenu />
            <ThemeMenu />
          </div>
        </div>
        <StepRail steps={wizardSteps} current={step} />
        <div className="mt-auto hidden gap-1 lg:flex">
          <LanguageMenu />
          <ThemeMenu />
        </div>
      </aside>
      <main id="main" className="min-w-0 px-5 py-7 sm:px-10 lg:py-16">
        <div className="mx-auto max-w-[720px]">
          {step === 'access' && <AccessStep refused={refused} onNext={() => setStep('owner')} />}
          {step === 'owner' && (
            <OwnerStep
              draft={draft}
              onDraft={setDraft}
              onLinkMissing={() => {
                setRefused(true)
                setStep('access')
              }}
              onDone={(siteName) => {
                client.clear()
                setDraft({ ...draft, password: '' })
                site.completeSetup(siteName)
                setStep('provider')
              }}
            />
          )}
          {step !== 'access' && step !== 'owner' && <Wizard step={step} onStep={setStep} />}
          <p className="sr-only" aria-live="polite">
            {t('start.stepOf', { step: wizardSteps.indexOf(step) + 1, steps: wizardSteps.length })}
          </p>
        </div>
      </main>
    </div>
  )
}
