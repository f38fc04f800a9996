import { send } from '../../api/http.ts'
import { readEvents } from '../../api/sse.ts'

export const stepIds = ['address', 'tls', 'key', 'models', 'answer'] as const
export type StepId = (typeof stepIds)[number]

/** One tick of the test as the server reports it. */
export interface TestStep {
  readonly id: StepId
  readonly status: 'ok' | 'failed' | 'skipped'
  readonly message: string
  readonly hint?: string
  readonly duration_ms?: number
}

export interface TestedModel {
  readonly model: string
  readonly ok: boolean
  readonly first_token_ms?: number | null
  readonly total_ms?: number | null
  readonly tokens?: number | null
  readonly error?: string
}

/** What is known of a test so far. */
export interface TestState {
  readonly steps: readonly TestStep[]
  readonly models: readonly string[]
  readonly tested: readonly TestedModel[]
  /** undefined while it runs. */
  readonly ok: boolean | undefined
}

export const TEST_STARTED: TestState = { steps: [], models: [], tested: [], ok: undefined }

/** The models are known, so address and key were good; at most the one that was asked did not answer. Enough to set prices. */
export function isSellable(state: TestState): boolean {
  return state.ok === true || (state.ok === false && state.models.length > 0)
}

/**
 * The suggested model to ask instead, when the first one failed only because the provider does not list it (any more).
 */
export function otherModel(state: TestState, suggested: readonly string[]): string | undefined {
  const [first] = suggested
  if (state.ok !== false || first === undefined || state.models.includes(first)) return undefined
  return suggested.find((model) => state.models.includes(model))
}

/** Adds one event to what is known; events of a kind this build does not know change nothing. */
export function advance(state: TestState, event: string, data: string): TestState {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return state
  }
  if (event === 'step') return { ...state, steps: [...state.steps.filter((step) => step.id !== (value as TestStep).id), value as TestStep] }
  if (event === 'model') return { ...state, tested: [...state.tested, value as TestedModel] }
  if (event === 'models') return { ...state, models: (value as { models: string[] }).models }
  if (event === 'done') return { ...state, ok: (value as { ok: boolean }).ok }
  return state
}

/**
 * Runs the server's channel test and reports each tick. A stream that ends without its `done` counts as failed.
 * @throws ApiError when the test cannot be started
 */
export async function runChannelTest(
  request: { channelId: number; models: readonly string[]; timeoutMs: number },
  report: (state: TestState) => void,
  signal: AbortSignal,
): Promise<TestState> {
  const response = await send('POST', '/api/channels/test', {
    body: { channel_id: request.channelId, models: request.models, timeout_ms: request.timeoutMs },
    accept: 'text/event-stream',
    signal,
  })
  let state = TEST_STARTED
  report(state)
  if (response.body) {
    for await (const { event, data } of readEvents(response.body)) {
      state = advance(state, event, data)
      report(state)
    }
  }
  if (state.ok === undefined) state = { ...state, ok: false }
  report(state)
  return state
}
