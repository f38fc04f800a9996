import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ArrowLeft, RotateCw } from 'lucide-react'
import { modelsQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Heading } from '../../ui/page.tsx'
import { AllowAddress } from './allow-address.tsx'
import { isSellable } from './channel-test.ts'
import { SellForm } from './sell-form.tsx'
import { allowEntry } from './templates.ts'
import { TestLog } from './test-log.tsx'
import type { Upstream } from './upstream.ts'
import { useChannelTest } from './use-channel-test.ts'

interface SellStepProps {
  upstream: Upstream
  onBack(): void
  onSold(model: string): void
}

/** Watches the test, then puts models on sale. */
export function SellStep({ upstream, onBack, onSold }: SellStepProps) {
  const t = useT()
  const { channelId, template } = upstream
  const { state, error, again } = useChannelTest(channelId, template.suggested)
  const [untested, setUntested] = useState(false)
  const existing = useQuery(modelsQuery)
  const failed = state.ok === false
  const sellable = isSellable(state)
  const blocked = state.steps.some((step) => step.id === 'address' && step.status === 'failed')
  const entry = allowEntry(upstream.baseUrl)
  return (
    <>
      <Heading title={t('start.sell.title')} />
      <p className="mt-2 mb-6 max-w-xl text-ink-2">{t('start.sell.lead', { channel: upstream.name })}</p>
      {error === undefined ? <TestLog state={state} /> : <ErrorPanel error={error} title={t('start.test.notStarted')} />}
      {failed && (
        <div className="mt-4 space-y-4">
          {blocked && entry !== undefined && <AllowAddress entry={entry} onAllowed={again} />}
          <div className="flex flex-wrap gap-2">
            <Button variant={blocked || sellable ? 'plain' : 'primary'} onClick={again}>
              <RotateCw size={15} aria-hidden />
              {t('start.test.again')}
            </Button>
            <Button onClick={onBack}>
              <ArrowLeft size={15} aria-hidden />
              {t('start.test.changeKey')}
            </Button>
            {!sellable && !untested && (
              <Button variant="quiet" onClick={() => setUntested(true)}>
                {t('start.test.goOn')}
              </Button>
            )}
          </div>
        </div>
      )}
      {(sellable || untested) && existing.data && (
        <SellForm
          key={state.models.length}
          channelId={channelId}
          listed={state.models}
          suggested={template.suggested}
          existing={existing.data}
          onSold={onSold}
        />
      )}
      {(sellable || untested) && existing.isError && (
        <div className="mt-6">
          <ErrorPanel error={existing.error} onRetry={() => void existing.refetch()} />
        </div>
      )}
    </>
  )
}
