// long file: one promise after another about the same thing, read as a list
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Block, Event } from '../canonical.ts'
import { collect } from '../collect.ts'
import { framerFor, gemini, wantsArray } from './index.ts'
import { CALL, chunks, fixtures, framesOf, ours, oursFrames, parts, run, settled } from './test-kit.ts'

const decode = (frames: { data: string }[]): Event[] => run(gemini.decodeStream(), frames)
const encode = (events: Event[], call = CALL): JsonObject[] =>
  run(gemini.encodeStream(call), events).map((frame) => JSON.parse(frame.data) as JsonObject)
const content = (frames: { data: string }[]): Block[] => collect(decode(frames)).choices[0]?.content ?? []

describe('a stream and a whole answer say the same', () => {
  test('our own pair', () => {
    expect(collect(decode(oursFrames('answer.chunks.txt')))).toEqual(gemini.decodeResponse(ours('answer.json')))
  })

  test('every recorded stream: its chunks put together by hand are the whole answer', () => {
    for (const { name, path } of fixtures('.chunks.txt')) {
      if (/arg/.test(name)) continue
      const bodies = framesOf(path).map((frame) => JSON.parse(frame.data))
      const whole = structuredClone(bodies.at(-1))
      whole.candidates = [Object.assign({}, ...bodies.map((body) => body.candidates[0]))]
      whole.candidates[0].content = { role: 'model', parts: bodies.flatMap((body) => body.candidates[0].content?.parts ?? []) }
      expect(collect(decode(framesOf(path)))).toEqual(gemini.decodeResponse(whole))
    }
  })
})

describe('decoding', () => {
  test('arguments that come in pieces are put together', () => {
    const completion = collect(decode(oursFrames('partial-args.chunks.txt')))
    const calls = completion.choices[0]?.content ?? []
    expect(calls).toEqual([
      {
        type: 'call',
        id: 'call_r1_0',
        name: 'write',
        seal: { by: 'gemini', value: 'c2ln' },
        input: '{"file":{"name":"a.txt","hidden":false},"lines":[{"a b":1.5},null]}',
      },
      { type: 'call', id: 'call_r1_1', name: 'write', input: '{"file":{"name":"b"}}' },
    ])
    expect(completion.choices[0]?.finish.reason).toBe('tool_calls')
    expect(completion.usage).toMatchObject({ input: 26, output: 155, reasoning: 132 })
  })

  test('a finish ends the call whose last piece never came', () => {
    const pieces = { functionCall: { name: 'a', willContinue: true, partialArgs: [{ jsonPath: '$.x', numberValue: 1 }] } }
    const { choices } = collect(decode(parts(pieces)))
    expect(choices).toMatchObject([{ content: [{ type: 'call', input: '{"x":1}' }], finish: { reason: 'tool_calls' } }])
  })

  test('recorded calls in pieces are whole calls', () => {
    for (const { path, name } of fixtures('.chunks.txt').filter((fixture) => /tool-call.*arg/.test(fixture.name))) {
      const { choices } = collect(decode(framesOf(path)))
      const calls = choices[0]?.content.filter((block) => block.type === 'call') ?? []
      expect(calls.length).toBeGreaterThan(0)
      expect(new Set(calls.map((call) => call.id)).size).toBe(calls.length)
      const inputs = calls.map((call) => JSON.parse(call.input))
      if (name.startsWith('google-stream-tool-call-arguments'))
        expect(inputs).toEqual([{ location: 'Boston' }, { location: 'San Francisco' }])
      if (name.includes('missing-terminal')) expect(inputs[0].operations[1]).toMatchObject({ action: 'add', price: 0.3 })
      if (name.includes('nested')) expect(inputs[0].recipe).toMatchObject({ name: 'Lasagna', ingredients: { 9: { name: 'Pepper' } } })
      if (name.includes('nested')) expect(inputs[0].recipe.steps[9]).toBe('Let stand for 15 minutes before serving.')
      expect(choices[0]?.finish).toMatchObject({ reason: 'tool_calls', raw: 'STOP' })
    }
  })

  test('hostile paths write nothing and pollute nothing', () => {
    const [call] = content(
      parts({
        functionCall: {
          name: 'a',
          partialArgs: [
            { jsonPath: '$.__proto__.x', numberValue: 1 },
            { jsonPath: '$.a[99999999]', numberValue: 1 },
            { jsonPath: '$..b', numberValue: 1 },
            { jsonPath: '$.ok', boolValue: true },
          ],
        },
      }),
    )
    expect(call).toMatchObject({ input: '{"__proto__":{"x":1},"ok":true}' })
    expect(({} as JsonObject).x).toBeUndefined()
  })

  test('a signature stays where it stood', () => {
    expect(
      content(
        parts(
          { text: 'a', thought: true },
          { text: 'b', thought: true, thoughtSignature: 's1' },
          { text: 'c' },
          { text: '', thoughtSignature: 's2' },
          { text: 'd' },
        ),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'ab', seal: { by: 'gemini', value: 's1' } },
      { type: 'text', text: 'c' },
      { type: 'reasoning', text: '', seal: { by: 'gemini', value: 's2' } },
      { type: 'text', text: 'd' },
    ])
  })

  test('finish reasons mean what Google says', () => {
    const reason = (finishReason: string): unknown => collect(decode(chunks({ candidates: [{ finishReason }] }))).choices[0]?.finish
    expect(reason('STOP')).toEqual({ reason: 'stop', raw: 'STOP' })
    expect(reason('MAX_TOKENS')).toEqual({ reason: 'length', raw: 'MAX_TOKENS' })
    for (const raw of ['SAFETY', 'RECITATION', 'PROHIBITED_CONTENT', 'BLOCKLIST', 'SPII', 'IMAGE_SAFETY'])
      expect(reason(raw)).toEqual({ reason: 'content_filter', raw })
    for (const raw of ['MALFORMED_FUNCTION_CALL', 'LANGUAGE', 'OTHER', 'BRAND_NEW']) expect(reason(raw)).toEqual({ reason: 'other', raw })
  })

  test('a blocked prompt is a filtered answer, and is written as one', () => {
    const body = {
      promptFeedback: { blockReason: 'SAFETY', safetyRatings: [] },
      usageMetadata: { promptTokenCount: 7, totalTokenCount: 7 },
      modelVersion: 'm',
      responseId: 'r',
    }
    const completion = gemini.decodeResponse(body)
    expect(completion).toMatchObject({
      choices: [{ content: [], finish: { reason: 'content_filter', raw: 'SAFETY' } }],
      usage: { input: 7, output: 0 },
    })
    expect(gemini.encodeResponse(completion, CALL).body).toMatchObject({
      promptFeedback: body.promptFeedback,
      usageMetadata: body.usageMetadata,
    })
    expect(gemini.encodeResponse(completion, CALL).body.candidates).toBeUndefined()
    expect(encode(decode(chunks(body))).at(-1)).toMatchObject({ promptFeedback: body.promptFeedback })
  })

  test('an error chunk is a fault', () => {
    expect(decode(chunks({ error: { code: 503, status: 'UNAVAILABLE', message: 'busy' } }))).toEqual([
      { type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'busy', code: 'UNAVAILABLE' } },
    ])
  })

  test('a stream that breaks leaves its call open and finishes nothing', () => {
    const events = decode(oursFrames('partial-args.chunks.txt').slice(0, 3))
    expect(events.map((event) => event.type)).toEqual(['start', 'open'])
    expect(encode(events)).toEqual([])
  })

  test('alternatives are choices, and log probabilities ride on their text', () => {
    const chosenCandidates = [{ token: 'x', logProbability: -0.5 }]
    const completion = collect(
      decode(
        chunks(
          {
            candidates: [
              { index: 1, content: { parts: [{ text: 'b' }] } },
              {
                index: 0,
                content: { parts: [{ text: 'x' }] },
                logprobsResult: { chosenCandidates, topCandidates: [{ candidates: chosenCandidates }] },
              },
            ],
          },
          {
            candidates: [
              { index: 0, finishReason: 'STOP' },
              { index: 1, finishReason: 'MAX_TOKENS' },
            ],
          },
        ),
      ),
    )
    expect(completion.choices).toMatchObject([
      { index: 0, content: [{ text: 'x' }], finish: { reason: 'stop' } },
      { index: 1, content: [{ text: 'b' }], finish: { reason: 'length' } },
    ])
    expect(completion.choices[0]?.logprobs).toEqual({
      content: [{ token: 'x', logprob: -0.5, bytes: null, top_logprobs: [{ token: 'x', logprob: -0.5, bytes: null }] }],
    })
    const { body } = gemini.encodeResponse(completion, CALL)
    expect((body.candidates as JsonObject[])[0]?.logprobsResult).toEqual({
      chosenCandidates,
      topCandidates: [{ candidates: chosenCandidates }],
    })
  })
})

describe('encoding', () => {
  test('what was decoded and encoded decodes to the same events', () => {
    for (const { path } of fixtures('.chunks.txt')) {
      const events = decode(framesOf(path))
      const model = { ...CALL, model: 'gemini-3-pro-preview' }
      const again = decode(run(gemini.encodeStream(model), events))
      const plain = (list: Event[]): Event[] =>
        settled(list).map((event) => (event.type === 'start' ? { type: 'start', id: event.id, model: '' } : event))
      expect(plain(again)).toEqual(plain(events))
    }
  })

  test("another maker's answer, as chunks: text at once, the call whole, the end last", () => {
    const events: Event[] = [
      { type: 'start', id: 'msg_1', model: 'claude-x' },
      { type: 'open', choice: 0, index: 0, block: { type: 'reasoning', text: '' } },
      { type: 'delta', choice: 0, index: 0, text: 'hm' },
      { type: 'seal', choice: 0, index: 0, seal: { by: 'claude', value: 'sig' } },
      { type: 'close', choice: 0, index: 0 },
      { type: 'open', choice: 0, index: 1, block: { type: 'text', text: '' } },
      { type: 'delta', choice: 0, index: 1, text: 'Hi' },
      { type: 'close', choice: 0, index: 1 },
      { type: 'open', choice: 0, index: 2, block: { type: 'call', id: 'toolu_1', name: 'f', input: '' } },
      { type: 'delta', choice: 0, index: 2, text: '{"a"' },
      { type: 'delta', choice: 0, index: 2, text: ':1}' },
      { type: 'close', choice: 0, index: 2 },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', raw: 'tool_use' } },
      {
        type: 'usage',
        usage: {
          input: 5,
          output: 9,
          cachedInput: 3,
          cacheWrite: 2,
          cacheWrite1h: 0,
          imageInput: 0,
          imageOutput: 0,
          audioInput: 0,
          audioOutput: 0,
          reasoning: 4,
        },
        rawUsage: { input_tokens: 5 },
      },
    ]
    const written = encode(events)
    expect(written.every((chunk) => chunk.modelVersion === 'house-model' && chunk.responseId === 'msg_1')).toBe(true)
    const lists = written.map((chunk) => (chunk.candidates as { content: { parts: JsonObject[] } }[])[0]?.content.parts ?? [])
    const part = (index: number): JsonObject => lists[index]?.[0] ?? {}
    expect(part(0)).toEqual({ text: 'hm', thought: true })
    expect(part(1)).toMatchObject({ text: '', thought: true, thoughtSignature: 'tg1.claude.c2ln' })
    expect(part(2)).toEqual({ text: 'Hi' })
    expect(part(3)).toMatchObject({ functionCall: { id: 'toolu_1', name: 'f', args: { a: 1 } } })
    expect(String(part(3).thoughtSignature)).toStartWith('tg1.carry.')
    expect(written[4]).toMatchObject({
      candidates: [{ finishReason: 'STOP', index: 0, content: { role: 'model', parts: [{ text: '' }] } }],
      usageMetadata: {
        promptTokenCount: 10,
        cachedContentTokenCount: 3,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 4,
        totalTokenCount: 19,
      },
    })
    expect(written).toHaveLength(5)
    expect(
      settled(decode(run(gemini.encodeStream(CALL), events))).filter((event) => event.type === 'seal' || event.type === 'open'),
    ).toEqual(
      settled(events)
        .filter((event) => event.type === 'seal' || event.type === 'open')
        .map((event) => (event.type === 'open' ? { ...event, block: event.block } : event)),
    )
  })

  test("a fault ends the stream with Google's error and nothing after it", () => {
    const written = encode([
      { type: 'start', id: 'a', model: 'm' },
      { type: 'finish', choice: 0, finish: { reason: 'stop' } },
      { type: 'fault', fault: { kind: 'upstream', status: 502, message: 'broke' } },
    ])
    expect(written).toHaveLength(1)
    expect(written[0]).toMatchObject({ error: { code: 502, message: 'broke', status: 'UNAVAILABLE' } })
  })

  test('both framings of a stream parse back', () => {
    const frames = oursFrames('answer.chunks.txt')
    const write = (framer: ReturnType<typeof framerFor>): string =>
      frames.map((frame) => framer.write(frame) + framer.keepAlive).join('') + framer.end()
    expect(JSON.parse(write(framerFor({ jsonArray: true })))).toEqual(frames.map((frame) => JSON.parse(frame.data)))
    expect(framerFor({ jsonArray: true }).end()).toBe('[]')
    expect(write(framerFor({}))).toStartWith(`data: ${frames[0]?.data}\n\n`)
    expect([wantsArray(new URLSearchParams('alt=sse')), wantsArray(new URLSearchParams('')), wantsArray(undefined)]).toEqual([
      false,
      true,
      true,
    ])
  })
})

describe('whole answers', () => {
  test('a decoded answer encodes to the same body but for the model', () => {
    for (const { path } of fixtures('.json').filter((fixture) => !fixture.name.startsWith('request'))) {
      const body = JSON.parse(readFileSync(path, 'utf8')) as JsonObject
      const { body: again, losses } = gemini.encodeResponse(gemini.decodeResponse(body), CALL)
      expect(losses).toEqual([])
      expect(again).toEqual({ ...body, modelVersion: 'house-model', createTime: body.createTime ?? again.createTime })
    }
  })

  test("another maker's answer shows our model, its reason and no foreign block", () => {
    const { body, losses } = gemini.encodeResponse(
      {
        id: '',
        model: 'x',
        choices: [
          {
            index: 0,
            finish: { reason: 'content_filter', raw: 'content_filter', stopSequence: 'S' },
            content: [
              { type: 'reasoning', text: '', redacted: true, seal: { by: 'claude', value: 'enc' } },
              { type: 'refusal', text: 'no' },
              { type: 'foreign', from: 'claude', data: {} },
            ],
          },
        ],
      },
      CALL,
    )
    expect(body).toMatchObject({
      modelVersion: 'house-model',
      responseId: 'ours',
      candidates: [{ finishReason: 'SAFETY', content: { parts: [{ text: '', thought: true }, { text: 'no' }] } }],
    })
    expect(losses.map((loss) => loss.path)).toEqual(['candidates[0].stop_sequence', 'candidates[0].content.parts[2]'])
    const turn = gemini.decodeRequest({ contents: [(body.candidates as JsonObject[])[0]?.content ?? {}] }, { model: 'm' })
    expect(turn.messages[0]?.content[0]).toEqual({ type: 'reasoning', text: '', redacted: true, seal: { by: 'claude', value: 'enc' } })
  })
})
