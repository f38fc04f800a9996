import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ArrowLeft, RotateCw } from 'lucide-react'
import { modelsQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Heading } from '../../ui/page.tsx'
import { AllowAddress } from './allow-address.tsx'
import { isSellable, otherModel, runChannelTest, TEST_STARTED, type TestState } from './channel-test.ts'
import { SellForm } from './sell-form.tsx'
import { allowEntry } from './templates.ts'
import { TestLog } from './test-log.tsx'
import type { Upstream } from './wizard.tsx'

/** One model's answer may take this long before the test calls it silent. */
const TEST_TIMEOUT_MS = 15_000

interface SellStepProps { upstream: Upstream; onBack(): void; onSold(model: string): void }

/** Watches the test, then puts models on sale. */
export function SellStep({ upstream, onBack, onSold }: SellStepProps) {
  const t = useT()
  const [state, setState] = useState<TestState>(TEST_STARTED)
  const [error, setError] = useState<unknown>()
  const [untested, setUntested] = useState(false)
  const running = useRef<AbortController>(undefined)
  const existing = useQuery(modelsQuery)
  const { channelId, template } = upstream

  const start = useCallback(() => {
    running.current?.abort()
    const controller = new AbortController()
    running.current = controller
    setError(undefined)
    setState(TEST_STARTED)
    const report = (next: TestState) => {
      if (!controller.signal.aborted) setState(next)
    }
    const run = (models: readonly string[]) => runChannelTest({ channelId, models, timeoutMs: TEST_TIMEOUT_MS }, report, controller.signal)
    const test = async () => {
      // One real answer is enough for a start; more would cost the owner money he did not ask to spend.
      const first = await run(template.suggested.slice(0, 1))
      const other = otherModel(first, template.suggested)
      if (other !== undefined) await run([other])
    }
    test().catch((reason: unknown) => {
      if (controller.signal.aborted) return
      setError(reason)
      setState({ ...TEST_STARTED, ok: false })
    })
  }, [channelId, template])
  useEffect(() => {
    start()
    return () => running.current?.abort()
  }, [start])

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
          {blocked && entry !== undefined && <AllowAddress entry={entry} onAllowed={start} />}
          <div className="flex flex-wrap gap-2">
            <Button variant={blocked || sellable ? 'plain' : 'primary'} onClick={start}><RotateCw size={15} aria-hidden />{t('start.test.again')}</Button>
            <Button onClick={onBack}><ArrowLeft size={15} aria-hidden />{t('start.test.changeKey')}</Button>
            {!sellable && !untested && <Button variant="quiet" onClick={() => setUntested(true)}>{t('start.test.goOn')}</Button>}
          </div>
        </div>
      )}
      {(sellable || untested) && existing.data && (
        <SellForm key={state.models.length} channelId={channelId} listed={state.models} suggested={template.suggested} existing={existing.data} onSold={onSold} />
      )}
      {(sellable || untested) && existing.isError && <div className="mt-6"><ErrorPanel error={existing.error} onRetry={() => void existing.refetch()} /></div>}
    </>
  )
}
