import { readFileSync } from 'node:fs'
import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Block, Completion, Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { WireError, type Frame } from '../protocol.ts'
import { formatFrame, parseSse } from '../sse.ts'
import { claude } from './index.ts'
import { CALL, fixtures, framesOf, ours, run, settled } from './test-kit.ts'

const REQUESTS = ['request-everything.json', 'request-agent.json']
const BODIES = fixtures('.json').filter((each) => !REQUESTS.includes(each.name))
const STREAMS = fixtures('.chunks.txt')

/** Tool inputs as values: the model's own spacing of its JSON is not a difference. */
function plainInputs(completion: Completion): Completion {
  const content = (blocks: Block[]) =>
    blocks.map((block) => (block.type === 'call' ? { ...block, input: JSON.stringify(JSON.parse(block.input)) } : block))
  return { ...completion, choices: completion.choices.map((choice) => ({ ...choice, content: content(choice.content) })) }
}

describe('law a: a request spoken in Claude comes back as it was', () => {
  for (const name of REQUESTS) {
    test(name, () => {
      const body = ours(name)
      const { body: again, losses } = claude.encodeRequest(claude.decodeRequest(structuredClone(body), {}))
      expect(losses).toEqual([])
      expect(again).toEqual(body)
    })
  }
})

describe("law a: an answer of Claude comes back as it was, under the platform's model name", () => {
  for (const { name, path } of BODIES) {
    test(name, () => {
      const body: JsonObject = JSON.parse(readFileSync(path, 'utf8'))
      const { body: again, losses } = claude.encodeResponse(claude.decodeResponse(structuredClone(body)), CALL)
      expect(losses).toEqual([])
      // What is null says nothing: the API itself writes these two or leaves them out.
      const { stop_details: details, ...rest } = body
      const expected = { stop_sequence: null, ...(details === null ? rest : body), model: CALL.model }
      expect(again).toEqual(expected)
    })
  }
})

describe('law b: a stream collects to the whole answer', () => {
  test('our own pair', () => {
    const [stream] = STREAMS.filter((each) => each.name === 'answer.chunks.txt')
    const collected = collect(run(claude.decodeStream(), framesOf(stream?.path ?? '')))
    expect(plainInputs(collected)).toEqual(plainInputs(claude.decodeResponse(ours('answer.json'))))
  })

  // The recorded bodies answer other calls than the recorded streams, so the stream is compared with what the SDK makes of it.
  for (const { name, path } of STREAMS.filter((each) => !/spliced|programmatic/.test(each.name))) {
    test(`${name}, as the Anthropic SDK reads it`, async () => {
      const frames = framesOf(path)
      const message = await sdkMessage(frames)
      const decoded = claude.decodeResponse(message)
      const collected = collect(run(claude.decodeStream(), frames))
      expect(plainInputs(withoutRaw(collected))).toEqual(plainInputs(withoutRaw(decoded)))
    })
  }
})

describe('law c: a stream written and read again is the same', () => {
  for (const { name, path } of STREAMS) {
    test(name, () => {
      const events = run(claude.decodeStream(), framesOf(path)).map(named)
      if (events.some((event) => event.type === 'fault')) return
      const again = run(claude.decodeStream(), run(claude.encodeStream(CALL), events))
      expect(settled(again)).toEqual(settled(events))
    })
  }
})

describe('law d: any split of the bytes gives the same events', () => {
  for (const { name, path } of STREAMS.filter((each) => /answer|text/.test(each.name))) {
    test(name, () => {
      const frames = framesOf(path)
      const bytes = new TextEncoder().encode(frames.map(formatFrame).join(''))
      const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
      expect(run(claude.decodeStream(), run(parseSse(), pieces))).toEqual(run(claude.decodeStream(), frames))
    })
  }
})

describe('what we write is what the Anthropic SDK understands', () => {
  for (const { name, path } of STREAMS.filter((each) => !/spliced/.test(each.name))) {
    test(name, async () => {
      const events = run(claude.decodeStream(), framesOf(path))
      const { body } = claude.encodeResponse(collect(events), CALL)
      const message = await sdkMessage(run(claude.encodeStream(CALL), events))
      expect(message.content).toEqual(body.content)
      expect(message.stop_reason).toEqual(body.stop_reason)
      expect(message.model).toBe(CALL.model)
    })
  }
})

describe('law e: nothing hostile throws anything but WireError', () => {
  // A small generator of our own: the same cases in every run.
  let seed = 20_261_122
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed % below
  }
  const JUNK: unknown[] = [
    null,
    true,
    -1,
    1e300,
    '',
    'x',
    [],
    {},
    [null],
    [[]],
    { type: 'text' },
    { type: 5 },
    'tg1.',
    'tg1.gemini.AA.t',
    '\ud800',
  ]

  function mutate(value: unknown): unknown {
    if (random(12) === 0) return JUNK[random(JUNK.length)]
    if (Array.isArray(value)) return value.filter(() => random(20) !== 0).map(mutate)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(() => random(25) !== 0)
        .map(([key, each]) => [key, mutate(each)]),
    )
  }

  function survives(act: () => unknown): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }

  test('3,000 mutated requests', () => {
    const bodies = REQUESTS.map(ours)
    for (let round = 0; round < 3000; round++) {
      const body = { ...(mutate(bodies[round % bodies.length]) as JsonObject) }
      if (random(3) > 0) body.model = 'm'
      survives(() => claude.encodeRequest(claude.decodeRequest(body, {})))
      survives(() => claude.peek(body, {}))
      survives(() => claude.patch(body, { model: 'm', stream: true }))
      claude.requestText(body)
    }
  })

  test('2,000 mutated answers', () => {
    const body = ours('answer.json')
    for (let round = 0; round < 2000; round++) {
      const mutated = { ...(mutate(body) as JsonObject) }
      survives(() => claude.encodeResponse(claude.decodeResponse(mutated), CALL))
      claude.answerText(mutated)
      claude.usage(mutated)
      claude.decodeError(random(600), mutated)
    }
  })

  test('600 mutated streams, each decoded, tapped and written again', () => {
    const frames = framesOf(STREAMS.find((each) => each.name === 'answer.chunks.txt')?.path ?? '')
    for (let round = 0; round < 600; round++) {
      const broken = frames
        .filter(() => random(15) !== 0)
        .map((frame): Frame => {
          if (random(10) === 0) return { data: frame.data.slice(0, random(frame.data.length)) }
          return { ...(random(2) ? { event: frame.event } : {}), data: JSON.stringify(mutate(JSON.parse(frame.data))) }
        })
      for (const frame of broken) claude.tap(frame)
      run(claude.encodeStream(CALL), run(claude.decodeStream(), broken))
    }
  })

  test('blocks nested without end are not followed', () => {
    let nested: JsonObject = { type: 'text', text: 'x' }
    for (let depth = 0; depth < 20_000; depth++) nested = { type: 'tool_result', tool_use_id: 'a', content: [nested] }
    const body = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: [nested] }] }
    expect(claude.decodeRequest(body, {}).messages).toHaveLength(1)
    expect(claude.requestText(body)).toBe('')
  })
})

/** What the SDK makes of a stream. */
async function sdkMessage(frames: Frame[]): Promise<JsonObject> {
  const fetch = async () => new Response(frames.map(formatFrame).join(''), { headers: { 'content-type': 'text/event-stream' } })
  const client = new Anthropic({ apiKey: 'none', fetch, maxRetries: 0 })
  const stream = client.beta.messages.stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] })
  return JSON.parse(JSON.stringify(await stream.finalMessage()))
}

/** The raw usage is put together in the SDK's own way; what it makes of it is compared as `usage`. */
function withoutRaw({ rawUsage: _, ...completion }: Completion): Completion {
  return completion
}

/** A start with the platform's model name, as the encoder will write it. */
function named(event: Event): Event {
  return event.type === 'start' ? { ...event, model: CALL.model, serviceTier: undefined } : event
}
