import { expect } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'
import type { Part, Stop, Wire } from '../upstream/script.ts'
import type { Pair } from './bench.ts'
import type { Heard, SeenPart, Step, ToolSpec } from './talk.ts'

/** Something that must cross. `run` throws where it does not. */
export interface Feature {
  id: string
  title: string
  run(pair: Pair): Promise<void>
}

/** A red dot, 5 x 5. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg=='
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n').toString('base64')

export const tools: ToolSpec[] = [
  {
    name: 'get_weather',
    description: 'Weather of a city',
    schema: {
      type: 'object',
      required: ['city'],
      properties: {
        city: { type: 'string', description: 'Its name' },
        days: { type: 'integer' },
        unit: { type: 'string', enum: ['C', 'F'] },
      },
    },
  },
  {
    name: 'get_time',
    description: 'Time of a zone',
    schema: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
  },
]
const WEATHER = { id: 'call_w1', name: 'get_weather', args: { city: 'Zürich "Nord"', days: 2 } }
const TIME = { id: 'call_t2', name: 'get_time', args: { zone: 'Europe/Zurich' } }
const SYSTEM = 'You are terse.\nNever say "maybe".'

const person: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'tags'],
  properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
}

/** An answer with thoughts before a call, as each maker seals it: the thoughts themselves, or (Google) the call. */
export function sealedCall(upstream: Wire, thought: string, seal: string, call: { id: string; name: string; args: JsonObject }): Part[] {
  if (upstream === 'chat') return [{ thought }, { call }]
  return upstream === 'gemini' ? [{ thought }, { call, seal }] : [{ thought, seal }, { call }]
}

/** Seals that came back, each with what it stands before. */
export function sealsIn(parts: readonly SeenPart[]): { seal: string; before: string }[] {
  return parts.flatMap((part, index) => {
    if (!('thought' in part) || part.seal === undefined || part.seal === '') return []
    const next = parts.slice(index + 1).find((one) => !('thought' in one))
    return [{ seal: part.seal, before: next && 'call' in next ? next.call.id : next ? (Object.keys(next)[0] ?? '') : 'end' }]
  })
}

/** A tool's output as the client's SDK writes it. */
function output(pair: Pair, tool: string, text: string): string {
  return pair.speaker.output?.(tool, text) ?? text
}

/** The parts without thoughts. */
const spoken = (parts: readonly SeenPart[]): SeenPart[] => parts.filter((part) => !('thought' in part))

const STOPS: { stop: Stop; heard: Record<Wire, string> }[] = [
  { stop: 'stop', heard: { chat: 'stop', responses: 'stop', claude: 'stop', gemini: 'stop' } },
  { stop: 'length', heard: { chat: 'length', responses: 'length', claude: 'length', gemini: 'length' } },
  {
    stop: 'content_filter',
    heard: { chat: 'content_filter', responses: 'content_filter', claude: 'content_filter', gemini: 'content_filter' },
  },
]

export const features: Feature[] = [
  {
    id: 'text',
    title: 'Text, several turns, system prompt',
    async run(pair) {
      pair.provider.always = { answer: { parts: [{ text: 'Grüezi — 你好 🎉' }] } }
      const talk: Step[] = [{ user: 'Hello.' }, { assistant: 'Yes?' }, { user: 'Again, please: "ü" \\ \n 你好' }]
      const { heard, seen } = await pair.ask({ system: SYSTEM, talk })
      expect(seen.system).toBe(SYSTEM)
      expect(seen.parts).toEqual([{ user: 'Hello.' }, { assistant: 'Yes?' }, { user: 'Again, please: "ü" \\ \n 你好' }])
      expect(heard).toMatchObject({ text: 'Grüezi — 你好 🎉', stop: 'stop', calls: [], thoughts: '' })
    },
  },
  {
    id: 'tools',
    title: 'Two parallel tool calls and their results',
    async run(pair) {
      pair.provider.next({ answer: { parts: [{ text: 'Let me see.' }, { call: WEATHER }, { call: TIME }] } })
      const first = await pair.ask({ talk: [{ user: 'Weather and time?' }], tools })
      expect(first.seen.tools).toEqual(tools)
      expect(first.heard.calls.map(({ name, args }) => ({ name, args }))).toEqual([WEATHER, TIME].map(({ name, args }) => ({ name, args })))
      expect(new Set(first.heard.calls.map(({ id }) => id)).size).toBe(2)
      expect(first.heard).toMatchObject({ text: 'Let me see.', stop: 'tool_calls' })
      pair.provider.next({ answer: { parts: [{ text: 'Sunny at noon.' }] } })
      const talk: Step[] = [{ user: 'Weather and time?' }, { heard: first.heard }, { results: resultsOf(first.heard, ['sunny', '12:00']) }]
      const second = await pair.ask({ talk, tools })
      expect(spoken(second.seen.parts)).toEqual([
        { user: 'Weather and time?' },
        { assistant: 'Let me see.' },
        { call: WEATHER },
        { call: TIME },
        { result: WEATHER.id, output: output(pair, WEATHER.name, 'sunny'), isError: false },
        { result: TIME.id, output: output(pair, TIME.name, '12:00'), isError: false },
      ])
      expect(second.heard).toMatchObject({ text: 'Sunny at noon.', stop: 'stop' })
    },
  },
  {
    id: 'image',
    title: 'Image (base64)',
    async run(pair) {
      const { seen } = await pair.ask({ talk: [{ user: 'What is it?', media: { mediaType: 'image/png', base64: PNG } }] })
      expect(seen.parts).toEqual([{ user: 'What is it?' }, { media: 'image/png', base64: PNG }])
    },
  },
  {
    id: 'json',
    title: 'Structured output (JSON schema)',
    async run(pair) {
      const text = '{"name":"Ada","tags":["x"]}'
      pair.provider.always = { answer: { parts: [{ text }] } }
      const { heard, seen } = await pair.ask({ talk: [{ user: 'Who?' }], schema: { name: 'person', schema: person } })
      expect(seen.schema).toEqual(person)
      expect(heard.text).toBe(text)
    },
  },
  {
    id: 'thinking',
    title: 'Thinking with seals over three turns',
    async run(pair) {
      const talk: Step[] = [{ user: 'Plan a trip.' }]
      const calls = [
        { ...WEATHER, id: 'call_1' },
        { ...TIME, id: 'call_2' },
      ]
      for (const [index, call] of calls.entries()) {
        pair.provider.next({ answer: { parts: sealedCall(pair.upstream, `Thought ${index}: ü 你.`, SEALS[index] ?? '', call) } })
        const { heard, seen } = await pair.ask({ talk, tools, thinking: true })
        expect(seen.thinking).toBe(true)
        expect(heard.thoughts).toBe(pair.speaker.tellsNoThoughts ? '' : `Thought ${index}: ü 你.`)
        expect(heard.calls).toHaveLength(1)
        talk.push({ heard }, { results: resultsOf(heard, [`result ${index}`]) })
      }
      pair.provider.next({ answer: { parts: [{ text: 'Go on Monday.' }] } })
      const { heard, seen } = await pair.ask({ talk, tools, thinking: true })
      expect(heard.text).toBe('Go on Monday.')
      expect(spoken(seen.parts)).toEqual([
        { user: 'Plan a trip.' },
        { call: calls[0] },
        { result: 'call_1', output: output(pair, WEATHER.name, 'result 0'), isError: false },
        { call: calls[1] },
        { result: 'call_2', output: output(pair, TIME.name, 'result 1'), isError: false },
      ] as SeenPart[])
      if (pair.upstream === 'chat') return
      expect(sealsIn(seen.parts)).toEqual([
        { seal: SEALS[0], before: 'call_1' },
        { seal: SEALS[1], before: 'call_2' },
      ] as never)
      if (pair.upstream === 'claude') {
        const thoughts = seen.parts.flatMap((part) => ('thought' in part ? [part.thought] : []))
        expect(thoughts).toEqual(['Thought 0: ü 你.', 'Thought 1: ü 你.'])
      }
    },
  },
  {
    id: 'stops',
    title: 'Stop reasons',
    async run(pair) {
      for (const { stop, heard: words } of STOPS) {
        pair.provider.next({ answer: { parts: [{ text: 'So far' }], stop } })
        const { heard } = await pair.ask({ talk: [{ user: 'Go.' }] })
        expect({ stop, heard: heard.stop, text: heard.text }).toEqual({ stop, heard: words[pair.client], text: 'So far' })
      }
    },
  },
  {
    id: 'usage',
    title: 'Usage and cost',
    async run(pair) {
      const tokens = { input: 1_000, cachedInput: 3_000, output: 200, ...(pair.upstream === 'claude' ? {} : { reasoning: 50 }) }
      pair.provider.always = { answer: { parts: [{ text: 'Counted.' }], tokens } }
      const { heard, row } = await pair.ask({ talk: [{ user: 'Count.' }] })
      expect(heard.usage).toEqual({ input: 4_000, output: 200, cached: 3_000, reasoning: tokens.reasoning ?? 0 })
      expect(row).toMatchObject({
        input_tokens: 4_000,
        cached_input_tokens: 3_000,
        output_tokens: 200,
        reasoning_tokens: tokens.reasoning ?? 0,
      })
      // 1,000 x 2.5 + 3,000 x 1.25 + 200 x 10 per million, whichever protocol was spoken.
      expect(row.cost).toBe('0.00825')
    },
  },
  {
    id: 'choice',
    title: 'Tool choice: required, named, none; one call at a time',
    async run(pair) {
      for (const choice of ['required', { name: 'get_time' }, 'none'] as const) {
        // A model that must call does; some SDKs insist.
        if (choice !== 'none') pair.provider.next({ answer: { parts: [{ call: TIME }] } })
        const { seen } = await pair.ask({ talk: [{ user: 'Go.' }], tools, choice })
        expect(seen.choice).toBe(typeof choice === 'string' ? choice : choice.name)
      }
      // Gemini has no word for it: its clients cannot ask, and as an upstream it is a loss.
      if (pair.client === 'gemini') return
      const { seen } = await pair.ask({ talk: [{ user: 'Go.' }], tools, parallel: false })
      if (pair.upstream === 'gemini') expect(pair.losses).toHaveLength(1)
      else expect(seen.parallel).toBe(false)
    },
  },
  {
    id: 'limits',
    title: 'Ceiling, temperature, top_p, stop sequences',
    async run(pair) {
      const stop = pair.client === 'responses' ? undefined : ['END', '\n\n']
      const { seen } = await pair.ask({ talk: [{ user: 'Go.' }], maxTokens: 321, temperature: 0.5, topP: 0.9, ...(stop && { stop }) })
      expect(seen.maxTokens).toBe(321)
      if (pair.losses.length > 0) return
      expect(seen).toMatchObject({ temperature: 0.5, topP: 0.9, stop: stop ?? [] })
    },
  },
  {
    id: 'tool-error',
    title: 'A tool that failed',
    async run(pair) {
      pair.provider.next({ answer: { parts: [{ call: TIME }] } })
      const { heard } = await pair.ask({ talk: [{ user: 'Time?' }], tools })
      const results = resultsOf(heard, ['no such zone']).map((result) => ({ ...result, isError: true }))
      const { seen } = await pair.ask({ talk: [{ user: 'Time?' }, { heard }, { results }], tools })
      const result = seen.parts.find((part) => 'result' in part)
      expect(result).toMatchObject({ result: TIME.id })
      expect(JSON.stringify(result)).toContain('no such zone')
      // An SDK with a form of its own for outputs has no mark for errors.
      const marks = (pair.client === 'claude' || pair.client === 'gemini') && !pair.speaker.output
      const told = marks && (pair.upstream === 'claude' || pair.upstream === 'gemini')
      if (told) expect(result).toMatchObject({ isError: true })
    },
  },
  {
    id: 'pdf',
    title: 'PDF (base64)',
    async run(pair) {
      const { seen } = await pair.ask({ talk: [{ user: 'Read it.', media: { mediaType: 'application/pdf', base64: PDF, name: 'a.pdf' } }] })
      expect(seen.parts).toEqual([{ user: 'Read it.' }, { media: 'application/pdf', base64: PDF }])
    },
  },
]

/** Signatures as makers write them: long base64 with every letter of the alphabet. */
export const SEALS = ['EqQBCkYIBxgCKkD+/abc012==', 'EuYBCkYIBxgCKkB/+xyz789=='] as const

export function resultsOf(heard: Heard, outputs: readonly string[]): { id: string; name: string; output: string }[] {
  return heard.calls.map(({ id, name }, index) => ({ id, name, output: outputs[index] ?? '' }))
}
