import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { APIError, type OpenAI } from 'openai'
import { costOf, serve, type Row, type Served } from '../served.ts'
import type { Answer, Script } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Count, please.' }]
const answer: Answer = { parts: [{ text: 'one two three four five six seven eight' }], tokens: { input: 100, output: 20 } }

let served: Served
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve({ settings: { reliability_stream_idle_timeout_seconds: 30 } })
  const channel = await served.site.addChannel({ baseUrl: `${upstream.url}/v1` })
  await served.site.sell(channel, MODEL, undefined, 'secret-upstream-name')
})
beforeEach(() => upstream.reset())
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

/** Streams to the end, with what the SDK made of it. */
async function stream(): Promise<{ text: string; failure: unknown; finish: string | null; row: Row }> {
  const { data, response } = await served.openai().chat.completions.create({ model: MODEL, messages, stream: true }).withResponse()
  let text = ''
  let finish: string | null = null
  let failure: unknown
  try {
    for await (const chunk of data) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish ??= chunk.choices[0]?.finish_reason ?? null
    }
  } catch (error) {
    failure = error
  }
  return { text, failure, finish, row: await served.row(response.headers.get('x-tollgate-request-id') ?? '') }
}

describe('a stream that breaks in the middle ends with an error the SDK throws, never with a normal end', () => {
  const cuts: Record<string, Script['cut']> = {
    "the upstream's error event": { after: 3, how: 'error', message: 'secret-upstream-name is overloaded' },
    'an end without the end marker': { after: 3, how: 'end' },
    'a broken connection': { after: 3, how: 'break' },
  }
  for (const [name, cut] of Object.entries(cuts)) {
    test(name, async () => {
      upstream.always = { answer, pieces: 4, ...(cut && { cut }) }
      const before = await served.balance()
      const { text, failure, finish, row } = await stream()
      expect(text).toBe('one two three four f')
      expect(finish).toBeNull()
      if (!(failure instanceof APIError)) throw new Error(`no error of the SDK: ${String(failure)}`)
      expect(failure.message).not.toContain('secret-upstream-name')
      expect(row).toMatchObject({ end_reason: 'upstream_error_after_content', usage_source: 'estimated' })
      expect(row.output_tokens).toBeGreaterThan(2)
      expect(row.output_tokens).toBeLessThan(10)
      expect(before - (await served.balance())).toBe(costOf(row))
    })
  }

  test('silence in the middle, for longer than the limit', async () => {
    upstream.always = { answer, pieces: 4, cut: { after: 3, how: 'silence' } }
    const running = stream()
    await Bun.sleep(100)
    served.clock.advance(31_000)
    const { text, failure, row } = await running
    expect(text).toBe('one two three four f')
    expect(failure).toBeInstanceOf(APIError)
    expect(row).toMatchObject({ end_reason: 'timeout_after_content', usage_source: 'estimated' })
  })

  test('a break before any content is not charged', async () => {
    upstream.always = { answer, pieces: 4, cut: { after: 1, how: 'break' } }
    const { failure, row } = await stream()
    expect(failure).toBeInstanceOf(APIError)
    expect(row).toMatchObject({ end_reason: 'upstream_error_before_content', usage_source: 'none', cost: '0' })
  })
})

describe('what an upstream says of usage', () => {
  test('nothing: counted from the text and marked estimated, streamed and whole', async () => {
    upstream.always = { answer: { ...answer, usage: 'missing' } }
    const { row, failure } = await stream()
    expect(failure).toBeUndefined()
    expect(row).toMatchObject({ end_reason: 'complete', usage_source: 'estimated', output_tokens: 8 })
    expect(row.input_tokens).toBeGreaterThan(2)
    const { response } = await served.openai().chat.completions.create({ model: MODEL, messages }).withResponse()
    const whole = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(whole).toMatchObject({ usage_source: 'estimated', output_tokens: 8, input_tokens: row.input_tokens, cost: row.cost })
  })

  const absurd: Record<string, object> = {
    zeros: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    negative: { prompt_tokens: -5, completion_tokens: -7, total_tokens: -12 },
    'more than any model can do': { prompt_tokens: 1e15, completion_tokens: 5, total_tokens: 1e15 },
    'words and fractions': { prompt_tokens: 'many', completion_tokens: 1.5, total_tokens: null },
    'negative on one side': { prompt_tokens: -5, completion_tokens: 8, total_tokens: 3 },
    'an overflow': { prompt_tokens: 2 ** 63, completion_tokens: 8, total_tokens: 8 },
  }
  for (const [name, usage] of Object.entries(absurd)) {
    test(`${name}: not believed, counted instead`, async () => {
      upstream.always = { answer: { ...answer, usage: usage as never } }
      for (const { usage_source: source, output_tokens: output, input_tokens: input } of [(await stream()).row, await wholeRow()]) {
        expect({ source, output }).toEqual({ source: 'estimated', output: 8 })
        expect(input).toBeLessThan(100)
      }
    })
  }

  test('input but no output beside a real answer: the output is counted', async () => {
    upstream.always = { answer: { ...answer, usage: { prompt_tokens: 100, completion_tokens: 0, total_tokens: 100 } } }
    expect((await stream()).row).toMatchObject({ usage_source: 'estimated', input_tokens: 100, output_tokens: 8 })
    expect(await wholeRow()).toMatchObject({ usage_source: 'estimated', input_tokens: 100, output_tokens: 8 })
  })
})

test('output but no input: the input is counted', async () => {
  upstream.always = { answer: { ...answer, usage: { prompt_tokens: 0, completion_tokens: 20, total_tokens: 20 } } }
  for (const row of [(await stream()).row, await wholeRow()]) {
    expect(row).toMatchObject({ usage_source: 'estimated', output_tokens: 20 })
    expect(row.input_tokens).toBeGreaterThan(2)
    expect(row.input_tokens).toBeLessThan(30)
  }
})

test('an upstream that leaves its connection open after the end marker does not keep the client waiting', async () => {
  upstream.always = { answer, lingerMs: 3_000 }
  const began = performance.now()
  const { failure, row } = await stream()
  expect(failure).toBeUndefined()
  expect(performance.now() - began).toBeLessThan(1_500)
  expect(row).toMatchObject({ end_reason: 'complete', usage_source: 'upstream', output_tokens: 20 })
})

test('a silent stream is kept open with comments', async () => {
  upstream.always = { answer, pieces: 1, pauseMs: 1_500, cut: { after: 2, how: 'end' } }
  const response = await served.post('/v1/chat/completions', { model: MODEL, messages, stream: true })
  const reading = response.text()
  await Bun.sleep(300)
  served.clock.advance(15_000)
  const text = await reading
  expect(text.indexOf(': keep-alive')).toBeGreaterThan(0)
  expect(text.indexOf('one two')).toBeGreaterThan(text.indexOf(': keep-alive'))
})

async function wholeRow(): Promise<Row> {
  const { response } = await served.openai().chat.completions.create({ model: MODEL, messages }).withResponse()
  return served.row(response.headers.get('x-tollgate-request-id') ?? '')
}
