import { expect, test } from 'bun:test'
import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import { BrokenStream, collect } from '../collect.ts'
import { claude } from '../claude/index.ts'
import { gemini } from '../gemini/index.ts'
import { openaiChat } from '../openai-chat/index.ts'
import { WireError, type Frame } from '../protocol.ts'
import { openaiResponses } from './index.ts'
import { CALL, decode, encode, ours, ourStream } from './test-kit.ts'

const ROUNDS = 2500
const VALUES: Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 60,
  '',
  'x',
  [],
  {},
  [null],
  { type: 7 },
  'tg1.x',
  'tg1.claude.AA',
  'tg1.a.b.call.',
  { _part: true },
]

/** A small generator of our own, so that a failing round can be run again (Park and Miller 1988). */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

/** Replaces, removes, renames or doubles one value somewhere inside. */
function mutate(value: Json, next: (below: number) => number): Json {
  if (Array.isArray(value) && value.length > 0 && next(6) > 0) {
    const at = next(value.length)
    const copy = [...value]
    const kind = next(4)
    if (kind === 0) copy.splice(at, 1)
    else if (kind === 1) copy.splice(at, 0, copy[at] ?? null)
    else copy[at] = mutate(copy[at] ?? null, next)
    return copy
  }
  if (isObject(value) && Object.keys(value).length > 0 && next(8) > 0) {
    const keys = Object.keys(value)
    const key = keys[next(keys.length)] ?? ''
    const copy: JsonObject = { ...value }
    const kind = next(5)
    if (kind === 0) delete copy[key]
    else if (kind === 1) copy[`${key}_`] = copy[key]
    else copy[key] = mutate(copy[key] ?? null, next)
    return copy
  }
  return VALUES[next(VALUES.length)] ?? null
}

function tolerated(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
}

test('a mutated request is refused with a WireError or understood by every road', () => {
  const bodies = ['request-everything.json', 'request-codex.json', 'request-code-mode.json'].map(ours)
  const next = generator(7)
  for (let round = 0; round < ROUNDS; round++) {
    const body = mutate(mutate(bodies[round % bodies.length] ?? {}, next), next)
    if (!isObject(body)) continue
    tolerated(() => {
      openaiResponses.peek(body, {})
      openaiResponses.patch(body, { model: 'other', stream: true })
      openaiResponses.requestText(body)
      const turn = openaiResponses.decodeRequest(body, {})
      openaiResponses.encodeRequest(turn)
      const target = [claude, openaiChat, gemini][round % 3] ?? claude
      target.encodeRequest(turn)
    })
  }
})

test('a mutated answer is understood by every road', () => {
  const bodies = ['answer-full.json', 'answer-cut.json', 'answer-refusal.json', 'answer-raw-thoughts.json', 'answer-image.json'].map(ours)
  const next = generator(11)
  for (let round = 0; round < ROUNDS; round++) {
    const body = mutate(mutate(bodies[round % bodies.length] ?? {}, next), next)
    if (!isObject(body)) continue
    const answer = openaiResponses.decodeResponse(body)
    openaiResponses.encodeResponse(answer, CALL)
    openaiResponses.answerText(body)
    openaiResponses.usage(body)
    openaiResponses.bodyFault?.(body)
    openaiResponses.decodeError(round % 600, body)
    const target = [claude, openaiChat, gemini][round % 3] ?? claude
    target.encodeResponse(answer, CALL)
  }
})

test('a mutated stream never stops its readers', () => {
  const streams = ['answer-full', 'answer-cut', 'answer-refusal', 'answer-raw-thoughts', 'answer-image'].map((name) =>
    ourStream(`${name}.chunks.txt`),
  )
  const next = generator(13)
  for (let round = 0; round < ROUNDS / 5; round++) {
    const stream = streams[round % streams.length] ?? []
    const mutated = stream.flatMap((frame): Frame[] => {
      const kind = next(12)
      if (kind === 0) return []
      if (kind === 1) return [frame, frame]
      if (kind === 2) return [{ event: frame.event ?? '', data: frame.data.slice(0, next(frame.data.length)) }]
      if (kind > 5) return [frame]
      const data = JSON.stringify(mutate(JSON.parse(frame.data), next))
      return [kind === 3 ? { data } : { event: frame.event ?? '', data }]
    })
    for (const frame of mutated) openaiResponses.tap(frame)
    const events = decode(mutated)
    try {
      collect(events)
    } catch (error) {
      if (!(error instanceof BrokenStream)) throw error
    }
    decode(encode(events, { ...CALL, request: ours('request-code-mode.json') }))
    const target = [claude, openaiChat, gemini][round % 3] ?? claude
    const encoder = target.encodeStream(CALL)
    for (const event of events) encoder.push(event)
    encoder.end()
  }
  expect(streams.every((stream) => stream.length > 0)).toBe(true)
})
