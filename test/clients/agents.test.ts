import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'
import type { Loss } from '../../server/relay/protocols/canonical.ts'
import { modelOf, startBench, wires } from '../matrix/bench.ts'
import { sealedCall, sealsIn, SEALS } from '../matrix/features.ts'
import { seenIn } from '../matrix/seen.ts'
import type { Wire } from '../upstream/script.ts'
import { TOOL, RESULT, type Agent } from './agent.ts'
import { chatAgents } from './agents-chat.ts'
import { claudeAgents } from './agents-claude.ts'
import { geminiAgents } from './agents-gemini.ts'
import { responsesAgents } from './agents-responses.ts'
import { hear, type Heard } from './hear.ts'

/*
 * What unmodified agents and SDKs send, in their own words and with their own credentials, on every kind of upstream: nothing is
 * refused, the whole of the talk arrives, and the losses are the named ones only.
 */
const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const CALL = { id: 'call_1', name: TOOL, args: { path: 'ä "b".txt', lines: [1, '2-3'] } }
const SEAL = SEALS[0]

/** Asks as the program does, streamed. */
async function send(agent: Agent, upstream: Wire, body: JsonObject): Promise<{ heard: Heard; losses: Loss[] }> {
  const model = modelOf(upstream)
  const paths: Record<Wire, string> = {
    chat: '/v1/chat/completions',
    responses: '/v1/responses',
    claude: '/v1/messages',
    gemini: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
  }
  const response = await bench.served.post(paths[agent.wire], body, { key: null, headers: agent.headers(bench.served.key) })
  const text = await response.text()
  expect(response.status, text.slice(0, 500)).toBe(200)
  const row = await bench.served.row(response.headers.get('x-tollgate-request-id') ?? '')
  expect(row.end_reason).toBe('complete')
  return { heard: hear(agent.wire, text), losses: row.losses as unknown as Loss[] }
}

/** What the program said, on its own protocol's road: only the model's name differs, and Chat's usage is asked for anyway. */
function expectUntouched(agent: Agent, sent: JsonObject, received: JsonObject): void {
  const { model: _sent, ...rest } = sent
  const { model: _received, ...arrived } = received
  expect(arrived).toEqual(rest)
  expect(Object.keys(arrived), `order of ${agent.name}`).toEqual(Object.keys(rest))
}

for (const agent of [...chatAgents, ...responsesAgents, ...claudeAgents, ...geminiAgents]) {
  describe(agent.name, () => {
    for (const upstream of wires) {
      test(`on ${upstream}: asks, is told to call, sends the result, and is answered`, async () => {
        const { provider } = bench.pair(agent.wire, upstream, true)
        const model = modelOf(upstream)
        provider.next({ answer: { parts: sealedCall(upstream, 'Let me think.', SEAL, CALL) } })
        const first = await send(agent, upstream, agent.first(model))
        expect(first.heard.calls.map(({ name, args }) => ({ name, args: JSON.parse(args) as unknown }))).toEqual([
          { name: CALL.name, args: CALL.args },
        ])
        provider.next({ answer: { parts: [{ text: 'It says 你好.' }] } })
        const body = agent.second(model, first.heard)
        const second = await send(agent, upstream, body)
        expect(second.heard.text).toBe('It says 你好.')
        expect(provider.received).toHaveLength(2)

        const seen = seenIn(upstream, provider.last.body)
        // Claude and Gemini have system texts in parts of their own.
        expect(seen.system.replaceAll('\n', '')).toBe(agent.says.system.replaceAll('\n', ''))
        expect(seen.parts.flatMap((part) => ('user' in part ? [part.user] : []))).toEqual([...agent.says.users])
        const calls = seen.parts.flatMap((part) => ('call' in part ? [part.call] : []))
        expect(calls.at(-1)).toEqual(agent.wire === 'gemini' ? { ...CALL, id: calls.at(-1)?.id ?? '' } : CALL)
        const results = seen.parts.flatMap((part) => ('result' in part ? [part] : []))
        expect(results.at(-1)).toEqual({ result: calls.at(-1)?.id ?? '', output: RESULT, isError: false })
        if (agent.wire !== upstream) expect(seen.tools.map(({ name }) => name)).toEqual([...agent.says.tools])
        if (agent.says.maxTokens !== undefined) expect(seen.maxTokens).toBe(agent.says.maxTokens)
        if (agent.says.thinking !== undefined) expect(seen.thinking).toBe(agent.says.thinking)
        if (agent.wire === upstream) expectUntouched(agent, body, provider.last.body)
        // The seal is where its maker looks for it. Sealed thoughts need a Claude client that gives thoughts back, a sealed call does not.
        const keeps = agent.wire !== 'claude' || agent.says.thinking === true
        if (upstream === 'gemini' || (keeps && (upstream === 'responses' || (upstream === 'claude' && agent.says.thinking === true)))) {
          expect(sealsIn(seen.parts)).toEqual([{ seal: SEAL, before: calls.at(-1)?.id ?? '' }])
        }
        const lost = new Set([...first.losses, ...second.losses].map(({ path }) => path.replace(/\[\d+\]/g, '[]')))
        expect([...lost].toSorted()).toEqual([...(agent.loses[upstream] ?? [])].toSorted())
      })
    }
    test("goes to an upstream of its own protocol with its betas and the channel's key, never with its own", async () => {
      const { provider } = bench.pair(agent.wire, agent.wire, true)
      await send(agent, agent.wire, agent.first(modelOf(agent.wire)))
      const { headers } = provider.last
      expect(headers.get('anthropic-beta')).toBe(agent.headers('')['anthropic-beta'] ?? null)
      expect([...headers.values()].join()).not.toContain(bench.served.key)
    })
    const { title } = agent
    if (title) {
      test('asks for a title beside the talk, without tools, on every upstream', async () => {
        for (const upstream of wires) {
          const { provider } = bench.pair(agent.wire, upstream, true)
          provider.next({ answer: { parts: [{ text: 'A title' }] } })
          const { heard, losses } = await send(agent, upstream, title(modelOf(upstream)))
          expect({ text: heard.text, losses }).toEqual({ text: 'A title', losses: [] })
          expect(seenIn(upstream, provider.last.body).tools).toEqual([])
        }
      })
    }
  })
}

test('gemini-cli counts a prompt with an image before it sends it, on every upstream', async () => {
  const [, agent] = geminiAgents
  if (!agent) throw new Error('the agent is gone')
  for (const upstream of wires) {
    bench.pair('gemini', upstream, false)
    const { contents } = agent.first('')
    const path = `/v1beta/models/${modelOf(upstream)}:countTokens`
    const response = await bench.served.post(path, { contents }, { key: null, headers: agent.headers(bench.served.key) })
    expect({ upstream, status: response.status }).toEqual({ upstream, status: 200 })
    expect(((await response.json()) as { totalTokens: number }).totalTokens).toBeGreaterThan(0)
  }
})

test('a model without free-form tools calls a tool of Codex, and Codex reads the call of its own tool and namespace', async () => {
  const agent = responsesAgents.find(({ name }) => name.startsWith('codex in code mode'))
  if (!agent) throw new Error('the agent is gone')
  for (const upstream of ['chat', 'claude', 'gemini'] as const) {
    const { provider } = bench.pair('responses', upstream, true)
    const call = { id: 'call_9', name: 'shell-_-exec', args: { input: 'ls("ä")\n' } }
    provider.next({ answer: { parts: [{ call }] } })
    const { heard } = await send(agent, upstream, agent.first(modelOf(upstream)))
    expect(heard.own.at(-1)).toMatchObject({ type: 'custom_tool_call', name: 'exec', namespace: 'shell', input: 'ls("ä")\n' })
    const calls = seenIn(upstream, provider.last.body).parts.flatMap((part) => ('call' in part ? [part.call] : []))
    expect(calls).toEqual([{ id: 'call_0', name: 'shell-_-exec', args: { input: 'ls()' } }])
  }
})
