import { expect, test } from 'bun:test'
import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { collect } from '../collect.ts'
import { WireError } from '../protocol.ts'
import { chatStreamToText, chatToText, textToChat } from './completions.ts'
import { openaiChat } from './index.ts'
import { CALL, ours, oursFrames, run } from './test-kit.ts'

/** A small generator of its own, so that a failure can be repeated. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const JUNK: unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'x',
  '.tg1.',
  'a.tgr1.e30.tg1.x.y',
  [],
  {},
  [[]],
  [null],
  ['x'],
  '__proto__',
  { type: 'text' },
  { type: 'thinking', thinking: [{}] },
  { index: 0 },
  { index: -1, id: 5, function: 'x' },
  { function: { name: 1, arguments: [] } },
  { custom: {} },
  { data: 'tgr1.', type: 'reasoning.encrypted' },
]

function mutate(value: unknown, roll: (sides: number) => number): unknown {
  if (roll(14) === 0) return structuredClone(JUNK[roll(JUNK.length)])
  if (Array.isArray(value)) {
    const items = value.map((item) => mutate(item, roll))
    if (roll(6) === 0) items.push(structuredClone(JUNK[roll(JUNK.length)]))
    return items
  }
  if (typeof value !== 'object' || value === null) return value
  const rows = Object.entries(value).filter(() => roll(20) !== 0)
  return Object.fromEntries(rows.map(([name, item]) => [roll(30) === 0 ? 'renamed' : name, mutate(item, roll)]))
}

function tolerant(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return false
  }
}

test('mutated requests and answers throw nothing but WireError, on any road', () => {
  const roll = dice(7)
  let understood = 0
  for (let round = 0; round < 800; round++) {
    for (const name of ['request-everything.json', 'request-vendor.json', 'answer.json']) {
      const body = mutate(ours(name), roll)
      if (!isObject(body)) continue
      if (tolerant(() => openaiChat.encodeRequest(openaiChat.decodeRequest(body, {})))) understood++
      tolerant(() => openaiChat.peek(body, {}))
      tolerant(() => textToChat(body))
      openaiChat.patch(body, { model: 'm', stream: true, losses: [] })
      openaiChat.requestText(body)
      if (tolerant(() => openaiChat.encodeResponse(openaiChat.decodeResponse(body), CALL))) understood++
      chatToText(body)
      openaiChat.usage(body)
      openaiChat.answerText(body)
      openaiChat.decodeError(roll(600), body)
      openaiChat.bodyFault?.(body)
    }
  }
  expect(understood).toBeGreaterThan(200)
})

test('mutated streams throw nothing, and end no more than once', () => {
  const roll = dice(11)
  const chunks = oursFrames('answer.chunks.txt')
    .slice(0, -1)
    .map((frame) => JSON.parse(frame.data) as JsonObject)
  for (let round = 0; round < 600; round++) {
    const frames = chunks.map((chunk) => {
      const data = roll(40) === 0 ? JSON.stringify(chunk).slice(0, roll(60)) : JSON.stringify(mutate(chunk, roll))
      return { data, ...(roll(50) === 0 ? { event: 'error' } : {}) }
    })
    frames.push({ data: '[DONE]' })
    const events = run(openaiChat.decodeStream(), frames)
    const written = run(openaiChat.encodeStream(CALL), events)
    expect(written.filter((frame) => frame.data === '[DONE]').length).toBeLessThan(2)
    run(chatStreamToText('x'), frames)
    for (const frame of frames) openaiChat.tap(frame)
    const finishes = events.filter((event) => event.type === 'finish').map((event) => event.choice)
    expect(new Set(finishes).size).toBe(finishes.length)
    if (!events.some((event) => event.type === 'fault')) collect(events)
  }
})
