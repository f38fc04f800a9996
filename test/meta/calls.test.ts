import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { amount, cost, says, startMetaBench, wires, type MetaBench } from './bench.ts'

let bench: MetaBench
beforeAll(async () => {
  bench = await startMetaBench()
  await bench.meta('one', 'call "alpha"')
  await bench.meta('own-price', 'call "alpha"', {
    billing_mode: 'meta',
    input_price: '100',
    output_price: '200',
    cache_write_input_price: '300',
  })
  await bench.meta('safe', 'fallback { call "alpha"; call "beta" }')
  await bench.meta(
    'sorted',
    'option audit_label = "sorter" judge "small" { prompt "hard or easy?" route { when judge.output == "hard" => call "large" otherwise => call "alpha" } }',
  )
  await bench.meta('team', 'option timeout_ms = 400 parallel { call "alpha" call "beta" } synthesize "large"')
})
beforeEach(() => {
  bench.provider.reset()
  bench.provider.models.clear()
  bench.script('small', says('hard', 40, 1))
  bench.script('alpha', says('Alpha says 41.'))
  bench.script('beta', says('Beta says 42.', 20, 6))
  bench.script('large', says('It is 42.', 30, 4))
})
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const parts = (row: { parts: { meta_role: string; model_name: string; cost: string; status: number }[] }) =>
  row.parts
    .map(({ meta_role: role, model_name: model, cost: charged, status }) => [role, model, amount(charged), status])
    .sort((a, b) => String(a[1]).localeCompare(String(b[1])))
const FAILED = { error: { status: 500, message: 'broken' } }

for (const client of wires) {
  for (const stream of [false, true]) {
    describe(`${client} client, ${stream ? 'streamed' : 'whole'}`, () => {
      test('call: the answer has the name that was asked for, the row is the real model', async () => {
        const { heard, row } = await bench.ask(client, stream, 'one')
        expect([heard.text, heard.model]).toEqual(['Alpha says 41.', 'one'])
        expect(row).toMatchObject({ model_name: 'alpha', meta_model: 'one', meta_role: 'answer', end_reason: 'complete', parts: [] })
        expect(amount(row.cost)).toBe(cost('alpha', 10, 5))
      })

      test('own prices: the row has the meta model and its card', async () => {
        const { row } = await bench.ask(client, stream, 'own-price')
        expect([row.model_name, row.upstream_model_name, row.cost]).toEqual(['own-price', 'up-alpha', '0.002'])
      })

      test('fallback: the next model answers when the first cannot, one row at its price with both tries', async () => {
        bench.script('alpha', FAILED)
        const { heard, row } = await bench.ask(client, stream, 'safe')
        expect([heard.text, heard.model, bench.asked()]).toEqual(['Beta says 42.', 'safe', ['alpha', 'beta']])
        expect(row).toMatchObject({ model_name: 'beta', parts: [], attempts: [{ outcome: 'failed' }, { outcome: 'ok' }] })
        expect(amount(row.total)).toBe(cost('beta', 20, 6))
      })

      test('fallback: when none can, the client is told and nothing is charged', async () => {
        bench.script('alpha', FAILED)
        bench.script('beta', { error: { status: 400, message: 'no' } })
        const { error, row } = await bench.fail(client, stream, 'safe')
        expect(error.status).toBe(400)
        expect([row.total, row.end_reason, row.attempts.length]).toEqual(['0', 'upstream_error_before_content', 2])
      })

      test('judge: its word decides, and it is a part with its own price', async () => {
        const { heard, row } = await bench.ask(client, stream, 'sorted', `${client} ${stream}`)
        expect([heard.text, heard.model, bench.asked()]).toEqual(['It is 42.', 'sorted', ['small', 'large']])
        expect(parts(row)).toEqual([['judge', 'small', cost('small', 40, 1), 200]])
        expect(amount(row.total)).toBe(cost('small', 40, 1) + cost('large', 30, 4))
        expect(row.audit_label).toBe('sorter')
      })

      test.each([
        ['an error', FAILED],
        ['nonsense', { reply: { body: '<html>' } }],
      ])('judge: %s is no word, otherwise decides and only the answer is charged', async (name, script) => {
        bench.script('small', script)
        const { heard, row } = await bench.ask(client, stream, 'sorted', `${client} ${stream} ${name}`)
        expect(heard.text).toBe('Alpha says 41.')
        expect(parts(row)).toEqual([['judge', 'small', 0n, 502]])
        expect(amount(row.total)).toBe(cost('alpha', 10, 5))
      })

      test('parallel: candidates draft side by side, the synthesizer reads the drafts and answers', async () => {
        const { heard, row } = await bench.ask(client, stream, 'team')
        expect([heard.text, heard.model]).toEqual(['It is 42.', 'team'])
        expect(bench.asked().toSorted()).toEqual(['alpha', 'beta', 'large'])
        const [last] = bench.provider.received.filter(({ model }) => model === 'up-large')
        expect(last?.stream).toBe(stream)
        for (const text of ['What is the answer?', 'Alpha says 41.', 'Beta says 42.']) expect(last?.text).toContain(text)
        expect(bench.provider.received.filter(({ model }) => model !== 'up-large').map((one) => one.stream)).toEqual([false, false])
        expect(parts(row)).toEqual([
          ['candidate', 'alpha', cost('alpha', 10, 5), 200],
          ['candidate', 'beta', cost('beta', 20, 6), 200],
        ])
        expect(amount(row.total)).toBe(cost('alpha', 10, 5) + cost('beta', 20, 6) + cost('large', 30, 4))
      })

      test.each([
        ['an error', FAILED, 502],
        ['nonsense', { reply: { body: '{"id":' } }, 502],
        ['our key refused', { error: { status: 401, message: 'no' } }, 503],
      ])('parallel: a candidate with %s is left out and costs nothing', async (_, script, status) => {
        bench.script('alpha', script)
        const { heard, row } = await bench.ask(client, stream, 'team')
        expect(heard.text).toBe('It is 42.')
        expect(parts(row)).toEqual([
          ['candidate', 'alpha', 0n, status],
          ['candidate', 'beta', cost('beta', 20, 6), 200],
        ])
        expect(bench.provider.last.text).not.toContain('Alpha says')
      })

      test('parallel: without any draft the synthesizer answers the request itself', async () => {
        bench.script('alpha', FAILED)
        bench.script('beta', FAILED)
        const { heard, row } = await bench.ask(client, stream, 'team')
        expect([heard.text, amount(row.total)]).toEqual(['It is 42.', cost('large', 30, 4)])
        expect(bench.provider.last.text).not.toContain('draft')
      })

      test('parallel: when the synthesizer fails the client is told; the drafts were made and are charged', async () => {
        bench.script('large', FAILED)
        const { error, row } = await bench.fail(client, stream, 'team')
        expect(error.status).toBe(502)
        expect([row.cost, row.end_reason]).toEqual(['0', 'upstream_error_before_content'])
        expect(amount(row.total)).toBe(cost('alpha', 10, 5) + cost('beta', 20, 6))
      })
    })
  }

  test(`${client} client: a synthesizer that breaks off in its stream is charged for what came, the drafts as they are`, async () => {
    bench.script('large', { ...says('one two three four five six seven'), pieces: 7, cut: { after: 8, how: 'break' } })
    const { row } = await bench.fail(client, true, 'team')
    expect([row.end_reason, row.usage_source, row.parts.length]).toEqual(['upstream_error_after_content', 'estimated', 2])
    expect(amount(row.total)).toBe(cost('alpha', 10, 5) + cost('beta', 20, 6) + amount(row.cost))
    expect(amount(row.cost)).toBeGreaterThan(0n)
  })
}
