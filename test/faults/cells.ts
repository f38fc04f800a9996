import { expect } from 'bun:test'
import { parseMoney } from '../../contract/money.ts'
import { RunningClock } from '../clock.ts'
import { everyRow } from '../every-row.ts'
import { chatClient } from '../matrix/client-chat.ts'
import { claudeClient } from '../matrix/client-claude.ts'
import { geminiClient } from '../matrix/client-gemini.ts'
import { responsesClient } from '../matrix/client-responses.ts'
import type { Client } from '../matrix/talk.ts'
import { serve, type Row, type Served } from '../served.ts'
import { startFaultProxy } from '../upstream/fault-proxy.ts'
import { startRawUpstream } from '../upstream/raw.ts'
import type { Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'
import { TEXT } from './spoil.ts'
import type { Doing, Fault, Verdict } from './table.ts'

export const wires: readonly Wire[] = ['chat', 'responses', 'claude', 'gemini']
const channelTypes: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }

/**
 * Where the faulty channel stands: alone or before a healthy one, speaking the client's protocol or another (then the healthy one
 * speaks the client's).
 */
export const places = ['alone', 'with a second', 'alone, translated', 'with a second, translated'] as const
export type Place = (typeof places)[number]

/** One fault for one client. */
export interface Cell {
  fault: Fault
  client: Wire
  stream: boolean
  place: Place
}

/** All of R1: faults x clients x streamed or not x places. */
export function allCells(faults: readonly Fault[]): Cell[] {
  return faults.flatMap((fault) =>
    wires.flatMap((client) => [false, true].flatMap((stream) => places.map((place) => ({ fault, client, stream, place })))),
  )
}

/** Prices: input 2.5, output 10 per million, in units of 1e-10 a token. */
const INPUT_UNITS = 25_000n
const OUTPUT_UNITS = 100_000n
const PROMPT = 'Count to six.'
const GOOD_TEXT = 'Hello from the healthy one.'
/** The scripted providers' usual bill. */
const USUAL_COST = '0.0001'
/** promises.md R1. */
const CELL_LIMIT_MS = 5_000
const ROW_LIMIT_MS = 3_000

/** A site on which cells can run side by side: each has a channel and a model of its own. */
export interface FaultBench {
  readonly served: Served
  run(cell: Cell): Promise<void>
  /** S17: nothing of what was asked and answered is in any row. */
  expectNothingKept(): Promise<void>
  close(): Promise<void>
}

export async function startFaultBench(): Promise<FaultBench> {
  const served = await serve({
    clock: new RunningClock(),
    // Silence is looked at once a second: with a limit of one, a second that had bytes could count as silent.
    settings: { reliability_stream_idle_timeout_seconds: 2, reliability_disable_after_failures: 1_000 },
  })
  const [bad, good] = await Promise.all([Upstream.start(), Upstream.start()])
  good.always = { answer: { parts: [{ text: GOOD_TEXT }] } }
  const clients: Record<Wire, Client> = {
    chat: chatClient(served.openai()),
    responses: responsesClient(served.openai()),
    claude: claudeClient(served.anthropic()),
    gemini: geminiClient(served.google()),
  }
  const healthy = new Map<Wire, number>()
  for (const wire of wires)
    healthy.set(wire, await served.site.addChannel({ baseUrl: good.url, type: channelTypes[wire], name: 'healthy' }))
  const [{ id: userChannelId } = { id: 0 }] = await served.site.api<{ id: number }[]>('GET', '/api/user-channels')
  let serial = 0

  return {
    served,
    async run({ fault, client, stream, place }) {
      serial += 1
      // All of one length: the filter of the list finds a text inside of names too.
      const model = `cell-${String(serial).padStart(6, '0')}`
      const upstream = place.endsWith('translated') ? (wires[(wires.indexOf(client) + 1 + (serial % 3)) % 4] ?? client) : client
      const second = place.startsWith('with')
      const doing = fault.of(upstream, stream)
      if (doing.script) bad.models.set(model, doing.script)
      const end = await endOf(doing, bad)
      try {
        const { id } = await served.site.api<{ id: number }>('POST', '/api/channels', {
          name: 'faulty',
          type: channelTypes[upstream],
          base_url: end.url,
          api_key: 'upstream-secret',
          priority: 10,
          enabled: true,
          user_channel_id: userChannelId,
          first_byte_timeout_seconds: doing.waits ? 1 : null,
        })
        await served.site.sell(id, model)
        if (second) await served.site.sell(healthy.get(client) ?? 0, model)
        const began = performance.now()
        const heard = await clients[client].ask({ model, talk: [{ user: PROMPT }] }, stream).then(
          ({ text }) => ({ text, error: undefined }),
          (error: unknown) => ({ text: undefined, error: error as Error & { status?: number } }),
        )
        const took = performance.now() - began
        const row = await rowOf(served, model)
        judge(doing.verdict, doing.text ?? TEXT, second, heard, row)
        expect(took, 'milliseconds').toBeLessThan(CELL_LIMIT_MS)
        const asked = bad.received.filter((got) => got.model === model).length
        expect(asked, 'requests of the faulty provider').toBeLessThanOrEqual(1)
        const held = await served.test.deps.db.query.selectFrom('holds').selectAll().where('id', '=', row.request_id).execute()
        expect(held, 'held').toEqual([])
      } finally {
        end.stop()
        bad.models.delete(model)
      }
    },
    async expectNothingKept() {
      const rows = await everyRow(served.test.deps.db.query)
      // The search itself: what must be there is found.
      expect(rows).toContain('cell-000001')
      for (const said of [PROMPT, GOOD_TEXT, TEXT, TEXT.slice(0, TEXT.length / 2)]) expect(rows).not.toContain(said)
    },
    async close() {
      await served.close()
      await Promise.all([bad.stop(), good.stop()])
    },
  }
}

async function endOf(doing: Doing, provider: Upstream): Promise<{ url: string; stop(): void }> {
  if (doing.address) return doing.address()
  if (doing.raw) return startRawUpstream(doing.raw)
  return doing.line ? startFaultProxy(provider.url, doing.line) : { url: provider.url, stop: () => undefined }
}

interface Heard {
  text: string | undefined
  error: (Error & { status?: number }) | undefined
}

/** What the SDK made of it, how the row says it ended, what was charged. */
function judge(verdict: Verdict, text: string, second: boolean, { text: heard, error }: Heard, row: Row): void {
  const outcomes = row.attempts.map(({ outcome }) => outcome)
  if ('whole' in verdict) {
    expect(heard?.slice(0, 100), String(error)).toBe(text.slice(0, 100))
    expect(heard?.length).toBe(text.length)
    expect(row).toMatchObject({ status: 200, end_reason: 'complete', usage_source: verdict.whole, channel_name: 'faulty' })
    expect(outcomes).toEqual(['ok'])
    if (verdict.whole === 'upstream') expect(row.cost).toBe(USUAL_COST)
    expectPriced(row)
    return
  }
  if ('refused' in verdict && second && !verdict.final) {
    expect(heard, String(error)).toBe(GOOD_TEXT)
    expect(row).toMatchObject({ status: 200, end_reason: 'complete', usage_source: 'upstream', channel_name: 'healthy', cost: USUAL_COST })
    expect(outcomes).toEqual(['failed', 'ok'])
    return
  }
  expect(heard, 'no error of the SDK').toBeUndefined()
  expect(error?.message).not.toBe('')
  if ('refused' in verdict) {
    expect(error?.status, String(error)).toBe(verdict.refused)
    expect(row).toMatchObject({ status: verdict.refused, end_reason: verdict.end, usage_source: 'none', cost: '0' })
    expect(outcomes).toEqual(['failed'])
    return
  }
  expect(row).toMatchObject({ end_reason: verdict.broken, channel_name: 'faulty' })
  expect(outcomes).toEqual(['ok'])
  if (verdict.broken.endsWith('before_content')) {
    expect(row).toMatchObject({ usage_source: 'none', cost: '0' })
    return
  }
  expect(row.usage_source).toBe('estimated')
  expect(row.output_tokens).toBeGreaterThan(1)
  expect(row.output_tokens).toBeLessThan(8)
  expectPriced(row)
}

/** The charge is what the row's tokens cost, counted here once more. */
function expectPriced({ cost, input_tokens: input, output_tokens: output }: Row): void {
  expect(input).toBeGreaterThan(0)
  expect(output).toBeGreaterThan(0)
  expect(parseMoney(cost) as bigint | undefined).toBe(BigInt(input) * INPUT_UNITS + BigInt(output) * OUTPUT_UNITS)
}

/** The receipt of the only call of a model, as soon as it is there. */
async function rowOf(served: Served, model: string): Promise<Row> {
  const until = performance.now() + ROW_LIMIT_MS
  for (;;) {
    const { items } = await served.site.api<{ items: Row[] }>('GET', `/api/logs?page=1&page_size=10&model_name=${model}`)
    const [row] = items
    if (items.length > 1) throw new Error(`${items.length} rows of one call: ${JSON.stringify(items)}`)
    if (row) return served.row(row.request_id)
    if (performance.now() > until) throw new Error('no row of the call')
    await Bun.sleep(10)
  }
}

/** Runs cells side by side, at most so many at once. @returns what failed, one text a cell */
export async function runCells(bench: FaultBench, cells: readonly Cell[], atOnce: number): Promise<string[]> {
  const left = [...cells]
  const failures: string[] = []
  const work = async (): Promise<void> => {
    for (let cell = left.shift(); cell; cell = left.shift()) {
      const { fault, client, stream, place } = cell
      await bench.run(cell).catch((error: unknown) => {
        failures.push(`${fault.name}, ${client}, ${stream ? 'streamed' : 'whole'}, ${place}: ${String(error)}`)
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return failures
}
