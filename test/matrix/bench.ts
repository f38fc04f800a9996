import { expect } from 'bun:test'
import type { Loss } from '../../server/relay/protocols/canonical.ts'
import { serve, type Row, type Served } from '../served.ts'
import type { Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'
import { aiClient } from './client-ai.ts'
import { chatClient } from './client-chat.ts'
import { claudeClient } from './client-claude.ts'
import { geminiClient } from './client-gemini.ts'
import { responsesClient } from './client-responses.ts'
import { seenIn } from './seen.ts'
import type { Ask, Client, Heard, Seen } from './talk.ts'

export const wires: readonly Wire[] = ['chat', 'responses', 'claude', 'gemini']

/** What each upstream calls its model: names whose makers' rules the codecs know. */
const upstreamModels: Record<Wire, string> = {
  chat: 'deepseek-reasoner',
  responses: 'gpt-5.1',
  claude: 'claude-sonnet-4-5',
  gemini: 'gemini-3-pro',
}
const channelTypes: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }
/** What only a translation may write and no upstream may ever read. */
const OWN_MARKS = /\btg1\.|\btgr1\./

/** One client on one upstream, streamed or not. */
export interface Pair {
  readonly client: Wire
  readonly upstream: Wire
  readonly stream: boolean
  readonly provider: Upstream
  /** The name under which the pair's model is sold. */
  readonly model: string
  readonly speaker: Client
  /** What was lost in this pair's calls so far. */
  readonly losses: Loss[]
  /** Asks through the client's SDK; fails if books, names or seals are not what they must be. */
  ask(ask: Omit<Ask, 'model'> & { model?: string }): Promise<{ heard: Heard; seen: Seen; row: Row }>
  /** Asks where the SDK must throw; fails if it does not. */
  fail(ask: Omit<Ask, 'model'>): Promise<{ error: Error & { status?: number }; row: Row }>
}

/** Whose client speaks. */
export type Sdk = 'maker' | 'ai'

/** A server that sells one model on each of the four upstreams, and the four SDKs. */
export interface Bench {
  readonly served: Served
  readonly provider: Upstream
  /** @param sdk the maker's own, or the `ai` SDK's provider for the same protocol */
  pair(client: Wire, upstream: Wire, stream: boolean, sdk?: Sdk): Pair
  close(): Promise<void>
}

/** The model sold on an upstream. */
export function modelOf(upstream: Wire): string {
  return `model-on-${upstream}`
}

export async function startBench(): Promise<Bench> {
  const served = await serve()
  const provider = await Upstream.start()
  for (const wire of wires) {
    const channel = await served.site.addChannel({ baseUrl: provider.url, type: channelTypes[wire], name: wire })
    await served.site.sell(channel, modelOf(wire), undefined, upstreamModels[wire])
  }
  const clients: Record<Wire, Client> = {
    chat: chatClient(served.openai()),
    responses: responsesClient(served.openai()),
    claude: claudeClient(served.anthropic()),
    gemini: geminiClient(served.google()),
  }
  return {
    served,
    provider,
    pair(client, upstream, stream, sdk = 'maker') {
      const speaker = sdk === 'ai' ? aiClient(client, served.url, served.key) : clients[client]
      provider.reset()
      const losses: Loss[] = []
      return {
        client,
        upstream,
        stream,
        provider,
        losses,
        speaker,
        model: modelOf(upstream),
        async fail(ask) {
          const error = await speaker.ask({ model: modelOf(upstream), ...ask }, stream).then(
            ({ text, stop }) => new Error(`answered "${text}", ${stop}`),
            (thrown: unknown) => thrown,
          )
          if (!(error instanceof Error) || error.message.startsWith('answered "')) throw error
          return { error, row: await served.row(served.lastHeaders().get('x-tollgate-request-id') ?? '') }
        },
        async ask(ask) {
          const asked = provider.received.length
          const heard = await speaker.ask({ model: modelOf(upstream), ...ask }, stream)
          const row = await served.row(served.lastHeaders().get('x-tollgate-request-id') ?? '')
          losses.push(...(row.losses as unknown as Loss[]))
          expect(provider.received.length - asked, 'requests of the upstream for one call').toBe(1)
          expect(provider.last.stream, 'streamed upstream').toBe(stream)
          expect(OWN_MARKS.exec(provider.last.text), 'a mark of ours in what the upstream reads').toBeNull()
          expect(heard.model, 'model shown').toBe(ask.model ?? modelOf(upstream))
          expect(row.end_reason).toBe('complete')
          expect(row.usage_source).toBe('upstream')
          return { heard, row, seen: seenIn(provider.last.wire, provider.last.body) }
        },
      }
    },
    async close() {
      await served.close()
      await provider.stop()
    },
  }
}
