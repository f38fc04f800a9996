import { parseMoney, ZERO } from '../../contract/money.ts'
import { chatClient } from '../matrix/client-chat.ts'
import { claudeClient } from '../matrix/client-claude.ts'
import { geminiClient } from '../matrix/client-gemini.ts'
import { responsesClient } from '../matrix/client-responses.ts'
import type { Client, Heard } from '../matrix/talk.ts'
import { serve, type Row, type Served } from '../served.ts'
import type { Script, Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

export const wires: readonly Wire[] = ['chat', 'responses', 'claude', 'gemini']
const types: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }

/** Models of the bench: what each is called, where it lives and what it costs per million. */
const models = [
  { name: 'small', wire: 'chat', input: '1', output: '2' },
  { name: 'alpha', wire: 'claude', input: '3', output: '6' },
  { name: 'beta', wire: 'gemini', input: '5', output: '10' },
  { name: 'large', wire: 'responses', input: '10', output: '30' },
] as const
export type ModelName = (typeof models)[number]['name']

/** A server with four models on four upstream protocols, and the four SDKs. */
export interface MetaBench {
  readonly served: Served
  readonly provider: Upstream
  /** What the upstream does for a model. */
  script(model: ModelName, script: Script): void
  meta(name: string, dsl: string, more?: object): Promise<void>
  /** Asks through a client's SDK; the receipt of the customer's call, after all parts are settled. */
  ask(client: Wire, stream: boolean, model: string, text?: string): Promise<{ heard: Heard; row: Row }>
  /** Asks where the SDK must throw. */
  fail(client: Wire, stream: boolean, model: string): Promise<{ error: Error & { status?: number }; row: Row }>
  /** Models the upstream was asked for since the last reset. */
  asked(): string[]
  close(): Promise<void>
}

const UP = 'up-'

export async function startMetaBench(): Promise<MetaBench> {
  const served = await serve()
  const provider = await Upstream.start()
  for (const { name, wire, input, output } of models) {
    const channel = await served.site.addChannel({ baseUrl: provider.url, type: types[wire], name })
    await served.site.sell(channel, name, { input_price: input, output_price: output }, UP + name)
  }
  const clients: Record<Wire, Client> = {
    chat: chatClient(served.openai()),
    responses: responsesClient(served.openai()),
    claude: claudeClient(served.anthropic()),
    gemini: geminiClient(served.google()),
  }
  const settled = async (): Promise<Row> => {
    await served.expectBooks()
    return served.row(served.lastHeaders().get('x-tollgate-request-id') ?? '')
  }
  return {
    served,
    provider,
    script: (model, script) => void provider.models.set(UP + model, script),
    async meta(name, dsl, more = {}) {
      await served.site.api('POST', '/api/meta-models', { name, dsl, ...more })
    },
    async ask(client, stream, model, text = 'What is the answer?') {
      const heard = await clients[client].ask({ model, system: 'Be brief.', maxTokens: 100, talk: [{ user: text }] }, stream)
      return { heard, row: await settled() }
    },
    async fail(client, stream, model) {
      const error = await clients[client].ask({ model, maxTokens: 100, talk: [{ user: 'What?' }] }, stream).then(
        ({ text }) => {
          throw new Error(`answered "${text}"`)
        },
        (thrown: unknown) => thrown as Error & { status?: number },
      )
      return { error, row: await settled() }
    },
    asked: () => provider.received.map((one) => one.model.slice(UP.length)),
    async close() {
      await served.close()
      await provider.stop()
    },
  }
}

/** A script that says a text and bills these tokens. */
export function says(text: string, input = 10, output = 5): Script {
  return { answer: { parts: [{ text }], tokens: { input, output } } }
}

/** What tokens cost on a model, in units of 1e-10: exact, as prices are whole. */
export function cost(model: ModelName, input: number, output: number): bigint {
  const row = models.find(({ name }) => name === model)
  const price = (text: string | undefined): bigint => BigInt(text ?? '0') * 10_000n
  return BigInt(input) * price(row?.input) + BigInt(output) * price(row?.output)
}

/** An amount of a receipt in units of 1e-10. */
export function amount(text: string): bigint {
  return parseMoney(text) ?? ZERO
}
