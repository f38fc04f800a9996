import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type OpenAI from 'openai'
import { formatMoney } from '../../contract/money.ts'
import { costOf, serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'

const MODEL = 'shop-model'
/** 12 input at 2.5 and 7 output at 10 per million. */
const COST = '0.0001'
const HELLO: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Say hello, please.' }]

let served: Served
const upstream = await Upstream.start()

beforeAll(async () => {
  served = await serve()
  const channel = await served.site.addChannel({ baseUrl: `${upstream.url}/v1` })
  await served.site.sell(channel, MODEL, undefined, 'upstream-model')
})
beforeEach(() => upstream.reset())
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await upstream.stop()
})

describe('a whole answer', () => {
  test("arrives with the platform's model name, its request id and its exact cost", async () => {
    const { data, response } = await served.openai().chat.completions.create({ model: MODEL, messages: HELLO }).withResponse()
    expect(data.model).toBe(MODEL)
    expect(data.choices[0]?.message.content).toBe('Hello from the upstream.')
    expect(data.usage?.total_tokens).toBe(19)
    expect(response.headers.get('x-tollgate-cost')).toBe(COST)
    expect(response.headers.get('x-tollgate-dropped')).toBeNull()
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row).toMatchObject({
      cost: COST,
      charged: COST,
      input_tokens: 12,
      output_tokens: 7,
      end_reason: 'complete',
      usage_source: 'upstream',
      stream: false,
      status: 200,
    })
    expect(row).toMatchObject({ model_name: MODEL, upstream_model_name: 'upstream-model', losses: [] })
  })

  test("the upstream gets its own key and model name, and the caller's text unchanged", async () => {
    const content = 'Grüße, "Welt"! 你好 \u2028 line\n\ttab \\ end 🎉'
    await served.openai().chat.completions.create({ model: MODEL, messages: [{ role: 'user', content }] })
    expect(upstream.last.model).toBe('upstream-model')
    expect(upstream.last.headers.get('authorization')).toBe('Bearer upstream-secret')
    expect(upstream.last.body.messages).toEqual([{ role: 'user', content }])
    expect([...upstream.last.headers.values()].join('\n')).not.toContain(served.key)
  })

  test('the receipt adds up: lines, rounding, charge and ledger entry', async () => {
    const before = await served.balance()
    const { response } = await served.openai().chat.completions.create({ model: MODEL, messages: HELLO }).withResponse()
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row.lines.map(({ meter, tokens, unit_price: price }) => ({ meter, tokens, price }))).toEqual([
      { meter: 'input', tokens: 12, price: '2.5' },
      { meter: 'output', tokens: 7, price: '10' },
    ])
    expect(Number(row.lines[0]?.amount) + Number(row.lines[1]?.amount) + Number(row.rounding)).toBeCloseTo(Number(row.charged), 12)
    expect(row.ledger_entry_id).not.toBeNull()
    expect((await served.balance()) - before).toBe(-costOf(row))
  })

  test('twenty calls in parallel: the balance falls by exactly the sum of the rows, which is what the upstream bills', async () => {
    const before = await served.balance()
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const stream = index % 2 === 1
        const response = await served.post('/v1/chat/completions', { model: MODEL, messages: HELLO, stream })
        await response.text()
        return response.headers.get('x-tollgate-request-id') ?? ''
      }),
    )
    const rows = await Promise.all(ids.map((id) => served.row(id)))
    const sum = rows.reduce((total, row) => total + costOf(row), 0n)
    expect(before - (await served.balance())).toBe(sum)
    expect(new Set(ids).size).toBe(20)
    const bill = upstream.bill()
    expect(rows.reduce((total, row) => total + row.input_tokens, 0)).toBe(bill.input)
    expect(rows.reduce((total, row) => total + row.output_tokens, 0)).toBe(bill.output)
    expect(formatMoney((before - (await served.balance())) as never)).toBe('0.002')
  })

  test('cached tokens and reasoning stand apart and are priced apart', async () => {
    upstream.always = { answer: { parts: [{ text: 'x' }], tokens: { input: 100, cachedInput: 900, output: 50, reasoning: 20 } } }
    const { response } = await served.openai().chat.completions.create({ model: MODEL, messages: HELLO }).withResponse()
    const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
    expect(row).toMatchObject({ input_tokens: 1000, cached_input_tokens: 900, output_tokens: 50, reasoning_tokens: 20 })
    // 100 x 2.5 + 900 x 1.25 + 50 x 10 per million
    expect(row.cost).toBe('0.001875')
  })
})

describe('a stream', () => {
  const ask = (more: Partial<OpenAI.ChatCompletionCreateParamsStreaming> = {}) =>
    served
      .openai()
      .chat.completions.create({ model: MODEL, messages: HELLO, stream: true, ...more })
      .withResponse()

  test("arrives in the upstream's pieces, with the platform's model name", async () => {
    upstream.always = { answer: { parts: [{ text: 'one two three four' }] }, pieces: 4 }
    const { data, response } = await ask()
    const pieces: string[] = []
    for await (const chunk of data) {
      expect(chunk.model).toBe(MODEL)
      const text = chunk.choices[0]?.delta.content
      if (text) pieces.push(text)
    }
    expect(pieces.join('')).toBe('one two three four')
    expect(pieces.length).toBe(4)
    expect(response.headers.get('x-tollgate-cost')).toBeNull()
    expect(await served.row(response.headers.get('x-tollgate-request-id') ?? '')).toMatchObject({
      cost: COST,
      usage_source: 'upstream',
      stream: true,
      end_reason: 'complete',
    })
  })

  test('a usage chunk goes only to the client that asked; the other is billed all the same', async () => {
    for (const asked of [true, false]) {
      const { data, response } = await ask(asked ? { stream_options: { include_usage: true } } : {})
      const usages: unknown[] = []
      let withoutChoices = 0
      for await (const chunk of data) {
        if (chunk.usage) usages.push(chunk.usage.total_tokens)
        if (chunk.choices.length === 0) withoutChoices += 1
      }
      expect(usages).toEqual(asked ? [19] : [])
      expect(withoutChoices).toBe(asked ? 1 : 0)
      expect(upstream.last.body.stream_options).toMatchObject({ include_usage: true })
      expect(await served.row(response.headers.get('x-tollgate-request-id') ?? '')).toMatchObject({ cost: COST, usage_source: 'upstream' })
    }
  })

  test('the charge is committed before the end marker leaves', async () => {
    const before = await served.balance()
    const response = await served.post('/v1/chat/completions', { model: MODEL, messages: HELLO, stream: true })
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
    let text = ''
    while (!text.includes('[DONE]')) {
      const { value, done } = await reader.read()
      expect(done).toBe(false)
      text += new TextDecoder().decode(value)
    }
    expect(before - (await served.balance())).toBe(1_000_000n)
    await reader.cancel()
  })

  test('the first event is forwarded before the upstream says its second', async () => {
    upstream.always = { answer: { parts: [{ text: 'first second' }] }, pieces: 2, pauseMs: 150 }
    const began = performance.now()
    const { data } = await ask()
    let firstMs = 0
    for await (const chunk of data) {
      void chunk
      firstMs ||= performance.now() - began
    }
    expect(firstMs).toBeLessThan(140)
  })

  test('two tool calls in parallel arrive whole and in order', async () => {
    const calls = [
      { id: 'call_a', name: 'weather', args: { city: 'Paris' } },
      { id: 'call_b', name: 'weather', args: { city: '北京', days: 2 } },
    ]
    upstream.always = { answer: { parts: calls.map((call) => ({ call })) } }
    const runner = served.openai().chat.completions.stream({ model: MODEL, messages: HELLO })
    const message = await runner.finalMessage()
    expect(
      message.tool_calls?.map(
        (call) => call.type === 'function' && { id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) },
      ),
    ).toEqual(calls)
  })
})
