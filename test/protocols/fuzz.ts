import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import { WireError, type Frame } from '../../server/relay/protocols/protocol.ts'
import { names, ownAnswers, ownRequests, ownStreams, type ProtocolName } from './recorded.ts'

/** Numbers that are the same each time for the same seed (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What no fixture says: wrong types, absurd numbers, names of the language itself, texts that look like ours. */
const STRANGE: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  '',
  '\u0000\ud800',
  '"}{[',
  '__proto__',
  'constructor',
  'tg1.claude.AAAA',
  'data:image/png;base64,',
  [],
  {},
  [[[]]],
  { type: 'x' },
  { __proto__: 1, toString: null },
]
/** Deeper values of a fixture are left alone; their parents are changed. */
const MAX_DEPTH = 12

/** A copy of a value with one thing changed: replaced, removed, doubled, renamed or put among others. */
function mutated(value: Json, random: (below: number) => number, depth = 0): Json {
  const strange = (): Json => structuredClone(STRANGE[random(STRANGE.length)] ?? null)
  const goDeeper = depth < MAX_DEPTH && random(8) !== 0
  if (Array.isArray(value) && value.length > 0 && goDeeper) {
    const at = random(value.length)
    switch (random(6)) {
      case 0:
        return value.toSpliced(at, 1)
      case 1:
        return value.toSpliced(at, 0, value[at] ?? null)
      case 2:
        return value.toSpliced(at, 0, strange())
      default:
        return value.with(at, mutated(value[at] ?? null, random, depth + 1))
    }
  }
  if (isObject(value) && goDeeper) {
    const keys = Object.keys(value)
    const key = keys[random(keys.length || 1)] ?? 'type'
    switch (random(7)) {
      case 0: {
        const { [key]: _, ...rest } = value
        return rest
      }
      case 1:
        return { ...value, [`${key}_new`]: value[key] ?? null }
      case 2:
        return { ...value, [key]: strange() }
      default:
        return { ...value, [key]: mutated(value[key] ?? null, random, depth + 1) }
    }
  }
  if (typeof value === 'string' && random(2) === 0) return value.slice(0, random(value.length + 1)) + String.fromCharCode(random(0x1_0000))
  if (typeof value === 'number' && random(2) === 0) return value * (random(3) - 1) + random(1000)
  return strange()
}

/**
 * Pushes changed streams of a protocol through its decoder and its tap, and what comes out through the encoders of all clients; frames
 * are changed, cut, doubled, left out and taken from other streams. Whatever throws is a fault.
 * @returns how many events came out
 */
export function fuzzStream(by: ProtocolName, frames: number, seed: number): number {
  const random = numbers(seed)
  const all = ownStreams().flatMap((stream) => stream.frames)
  const own = ownStreams().filter((stream) => stream.by === by)
  const parsed = new Map(all.map((frame) => [frame, tryParse(frame.data)]))
  const { tap, decodeStream } = protocols[by]
  let left = frames
  let events = 0
  while (left > 0) {
    const recorded = own[random(own.length)]?.frames ?? []
    const decoder = decodeStream()
    const call = { model: 'm', wantsUsage: random(2) === 0, created: 0, id: 'id' }
    const client = names[random(names.length)] ?? by
    const encoder = protocols[client].encodeStream(call)
    for (const plain of recorded) {
      left--
      const frame = changed(random(40) === 0 ? (all[random(all.length)] ?? plain) : plain, parsed, random)
      for (const each of frame) {
        tap(each)
        for (const event of decoder.push(each)) {
          events++
          encoder.push(event)
        }
      }
    }
    for (const event of decoder.end()) encoder.push(event)
    encoder.end()
  }
  return events
}

/** The frames that came of one: itself, twice, none, cut off, under another name, or with one thing changed in its JSON. */
export function changed(frame: Frame, parsed: ReadonlyMap<Frame, Json | undefined>, random: (below: number) => number): Frame[] {
  const value = parsed.get(frame)
  switch (random(10)) {
    case 0:
      return []
    case 1:
      return [frame, frame]
    case 2:
      return [{ ...frame, data: frame.data.slice(0, random(frame.data.length + 1)) }]
    case 3:
      return [{ data: frame.data, event: 'unheard_of' }]
    case 4:
      return [frame]
    default:
      return value === undefined ? [frame] : [{ ...frame, data: JSON.stringify(mutated(value, random)) }]
  }
}

function tryParse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/**
 * Decodes changed requests of a protocol and encodes what was understood for all upstreams. Only a WireError may be thrown, by the decoder.
 * @returns how many were understood
 */
export function fuzzRequests(by: ProtocolName, requests: number, seed: number): number {
  const random = numbers(seed)
  const bodies = ownRequests(by)
  const { decodeRequest, peek, patch, requestText } = protocols[by]
  let understood = 0
  for (let index = 0; index < requests; index++) {
    let body: Json = bodies[random(bodies.length)] ?? {}
    for (let times = random(3); times >= 0; times--) body = mutated(body, random)
    const whole: JsonObject = isObject(body) ? body : { contents: body, messages: body, input: body }
    try {
      peek(whole, { model: 'm', action: 'generateContent' })
      const turn = decodeRequest(whole, { model: 'm', action: 'generateContent' })
      understood++
      patch(whole, { model: 'up', stream: false, losses: [] })
      requestText(whole)
      if (index % names.length === 0) for (const name of names) protocols[name].encodeRequest({ ...turn, model: 'up' })
      else protocols[names[index % names.length] ?? by].encodeRequest({ ...turn, model: 'up' })
    } catch (error) {
      if (!(error instanceof WireError)) throw new Error(`${by} fails on ${JSON.stringify(whole)}`, { cause: error })
    }
  }
  return understood
}

/**
 * Decodes changed answers, whole and of errors, and writes what was understood for all clients. Only a WireError may be thrown.
 * @returns how many were understood
 */
export function fuzzAnswers(by: ProtocolName, answers: number, seed: number): number {
  const random = numbers(seed)
  const protocol = protocols[by]
  const fault = { kind: 'rate_limit', status: 429, message: 'slow' } as const
  const bodies = [...ownAnswers(by), protocol.encodeError(fault, 'id').body]
  const call = { model: 'm', wantsUsage: true, created: 0, id: 'id' }
  let understood = 0
  for (let index = 0; index < answers; index++) {
    let body: Json = bodies[random(bodies.length)] ?? {}
    for (let times = random(3); times >= 0; times--) body = mutated(body, random)
    const whole: JsonObject = isObject(body) ? body : { choices: body, output: body, content: body, candidates: body }
    try {
      protocol.bodyFault?.(whole)
      protocol.decodeError(random(600), body)
      protocol.usage(whole)
      protocol.answerText(whole)
      const completion = protocol.decodeResponse(protocol.mendMessage?.(whole) ?? whole)
      understood++
      protocols[names[index % names.length] ?? by].encodeResponse(completion, call)
    } catch (error) {
      if (!(error instanceof WireError)) throw new Error(`${by} fails on ${JSON.stringify(body)}`, { cause: error })
    }
  }
  return understood
}
