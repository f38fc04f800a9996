import { useEffect, useState } from 'react'
import { otherModel, runChannelTest, TEST_STARTED, type TestState } from './channel-test.ts'

/** One model's answer may take this long before the test calls it silent. */
const TEST_TIMEOUT_MS = 15_000

/**
 * Tests a channel when the component appears, and again on `again()`; leaving it stops the test.
 * @param suggested models to ask, the first one the provider lists
 */
export function useChannelTest(channelId: number, suggested: readonly string[]): { state: TestState; error: unknown; again(): void } {
  const [attempt, setAttempt] = useState(0)
  const [seen, setSeen] = useState<{ attempt: number; state: TestState; error: unknown }>()
  useEffect(() => {
    const controller = new AbortController()
    const report = (state: TestState, error?: unknown) => {
      if (!controller.signal.aborted) setSeen({ attempt, state, error })
    }
    const run = (models: readonly string[]) => runChannelTest({ channelId, models, timeoutMs: TEST_TIMEOUT_MS }, report, controller.signal)
    const test = async () => {
      // One real answer is enough for a start; more would cost the owner money he did not ask to spend.
      const other = otherModel(await run(suggested.slice(0, 1)), suggested)
      if (other !== undefined) await run([other])
    }
    test().catch((error: unknown) => report({ ...TEST_STARTED, ok: false }, error))
    return () => controller.abort()
  }, [attempt, channelId, suggested])
  const current = seen?.attempt === attempt ? seen : undefined
  return { state: current?.state ?? TEST_STARTED, error: current?.error, again: () => setAttempt(attempt + 1) }
}
