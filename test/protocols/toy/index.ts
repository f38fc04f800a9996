import { isObject, type Json, type JsonObject } from '../../../contract/json.ts'
import { EMPTY_USAGE, type Usage } from '../../../contract/meters.ts'
import type { Block, Event, Fault, Loss, Turn } from '../../../server/relay/protocols/canonical.ts'
import { collect } from '../../../server/relay/protocols/collect.ts'
import {
  WireError,
  type Frame,
  type Protocol,
  type StreamCall,
  type TapResult,
  type Translator,
} from '../../../server/relay/protocols/protocol.ts'

/**
 * A protocol nobody speaks, as small as one can be: `POST /v1/toy {model, lines: ["> question", "< answer"], live?}` answers
 * `{model, line, spent: [in, out]}`, or live `{"bit":"..."}` frames and a last one with `spent`.
 */
export const toy: Protocol = {
  id: 'toy',
  addresses: { '/v1/toy': 'toy' },
  answerModel: { member: 'model', inFrame: () => true },
  words: { parameters: { temperature: 'heat' }, messages: 'lines', content: 'words', result: 'words', members: {} },
  keepAlive: ': wait\n\n',
  peek(body) {
    if (typeof body.model !== 'string') throw new WireError('model: say which', 'model')
    return { model: body.model, stream: body.live === true, choices: 1, wantsUsage: true }
  },
  patch: (body, { model }) => ({ ...body, model }),
  endpoint: (base) => ({ url: `${base}/v1/toy`, headers: (key) => ({ 'x-toy': key }) }),
  takesUrl: () => true,
  decodeRequest: (body) => ({
    model: text(body.model),
    stream: body.live === true,
    system: [],
    messages: lines(body).map((line) => ({
      role: line.startsWith('<') ? ('assistant' as const) : ('user' as const),
      content: [{ type: 'text' as const, text: line.slice(2) }],
    })),
    tools: [],
    ...(typeof body.heat === 'number' ? { temperature: body.heat } : {}),
  }),
  encodeRequest,
  decodeResponse: (body) => collect([...said(text(body.line)), ...ended(body)]),
  encodeResponse(completion, call) {
    const { content = [] } = completion.choices[0] ?? {}
    const losses: Loss[] = []
    const line = content.map((block, index) => words(block, `line[${index}]`, losses)).join('')
    return { body: { model: call.model, line, spent: spentOf(completion.usage) }, losses }
  },
  decodeStream,
  encodeStream,
  decodeError: (status, body) => ({ kind: 'upstream', status, message: isObject(body) ? text(body.oops) : 'broken' }),
  encodeError: (fault) => ({ status: fault.status, body: { oops: fault.message } }),
  encodeStreamError: (fault) => [{ data: JSON.stringify({ oops: fault.message }) }],
  usage,
  answerText: (body) => text(body.line),
  requestText: (body) => lines(body).join('\n'),
  tap,
}

function encodeRequest(turn: Turn): { body: JsonObject; losses: Loss[] } {
  const losses: Loss[] = []
  const told = turn.messages.map(
    ({ role, content }, at) =>
      `${role === 'assistant' ? '<' : '>'} ${content.map((block, index) => words(block, `messages[${at}].content[${index}]`, losses)).join('')}`,
  )
  if (turn.system.length > 0) losses.push({ path: 'system', reason: 'A toy has no system prompt' })
  if (turn.temperature !== undefined) losses.push({ path: 'temperature', reason: 'A toy is always cold' })
  return { body: { model: turn.model, lines: told, ...(turn.stream ? { live: true } : {}) }, losses }
}

function words(block: Block, path: string, losses: Loss[]): string {
  if (block.type === 'text') return block.text
  losses.push({ path, reason: `A toy knows no ${block.type}` })
  return ''
}

function decodeStream(): Translator<Frame, Event> {
  let begun = false
  return {
    push({ data }) {
      const body = JSON.parse(data) as JsonObject
      const events: Event[] = body.oops === undefined ? [] : [{ type: 'fault', fault: fault(text(body.oops)) }]
      if (!begun) events.push(...said(''))
      begun = true
      if (body.bit !== undefined) events.push({ type: 'delta', choice: 0, index: 0, text: text(body.bit) })
      return body.spent === undefined ? events : [...events, ...ended(body)]
    },
    end: () => [],
  }
}

function encodeStream(call: StreamCall): Translator<Event, Frame> {
  let used: Usage | undefined
  let finished = false
  const frame = (body: JsonObject): Frame => ({ data: JSON.stringify({ model: call.model, ...body }) })
  return {
    push(event) {
      if (event.type === 'usage') used = event.usage
      if (event.type === 'finish') finished = true
      if (event.type === 'fault') return [{ data: JSON.stringify({ oops: event.fault.message }) }]
      const bit = event.type === 'delta' ? event.text : event.type === 'open' && event.block.type === 'text' ? event.block.text : ''
      return bit === '' ? [] : [frame({ bit })]
    },
    end: () => (finished ? [frame({ spent: spentOf(used) })] : []),
  }
}

function tap({ data }: Frame): TapResult {
  const body = JSON.parse(data) as JsonObject
  const found = usage(body)
  const bit = text(body.bit)
  return { text: bit, content: bit !== '', ...(found ? { usage: found, end: true, finish: 'end' } : {}) }
}

function said(line: string): Event[] {
  return [
    { type: 'start', id: 'toy', model: 'toy' },
    { type: 'open', choice: 0, index: 0, block: { type: 'text', text: line } },
  ]
}

function ended(body: JsonObject): Event[] {
  const found = usage(body)
  return [
    { type: 'close', choice: 0, index: 0 },
    ...(found ? [{ type: 'usage' as const, usage: found }] : []),
    { type: 'finish', choice: 0, finish: { reason: 'stop' } },
  ]
}

function usage(body: JsonObject): Usage | undefined {
  if (!Array.isArray(body.spent)) return undefined
  const [input, output] = body.spent.map(Number)
  return { ...EMPTY_USAGE, input: input ?? 0, output: output ?? 0 }
}

const spentOf = (used: Usage | undefined): Json => [used?.input ?? 0, used?.output ?? 0]
const fault = (message: string): Fault => ({ kind: 'upstream', status: 502, message })
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const lines = (body: JsonObject): string[] => (Array.isArray(body.lines) ? body.lines.map(text) : [])
