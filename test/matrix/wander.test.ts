import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { Wire } from '../upstream/script.ts'
import { modelOf, startBench, wires, type Pair } from './bench.ts'
import { resultsOf, sealedCall, sealsIn, tools } from './features.ts'
import type { Step } from './talk.ts'

/*
 * A talk that changes its maker in the middle. Each maker must get back what it sealed, and nothing of another's: it would
 * refuse a seal it did not make.
 */
const bench = await startBench()
afterEach(() => bench.served.expectBooks())
afterAll(() => bench.close())

const seals: Record<Wire, string> = {
  chat: '',
  responses: 'gAAAAABo-open+ai/seal==',
  claude: 'EqQBCkYIBxgCKkD+/claude==',
  gemini: 'CiQBgem+ini/signature==',
}

/** One turn on an upstream: thoughts, two calls at once, their results. */
async function turn(pair: Pair, talk: Step[], upstream: Wire, id: string): Promise<Awaited<ReturnType<Pair['ask']>>> {
  pair.provider.next({
    answer: {
      parts: [
        ...sealedCall(upstream, `Thinking of ${id}.`, seals[upstream], { id, name: 'get_time', args: { zone: id } }),
        { call: { id: `${id}b`, name: 'get_weather', args: { city: id } } },
      ],
    },
  })
  const answer = await pair.ask({ talk, tools, thinking: true, model: modelOf(upstream) })
  expect(answer.heard.calls).toHaveLength(2)
  talk.push({ heard: answer.heard }, { results: resultsOf(answer.heard, [`result of ${id}`, `result of ${id}b`]) })
  return answer
}

for (const client of wires) {
  for (const stream of [false, true]) {
    describe(`${client} client, ${stream ? 'streamed' : 'whole'}`, () => {
      for (const [home, away] of [
        ['claude', 'responses'],
        ['claude', 'chat'],
        ['responses', 'claude'],
        ['gemini', 'claude'],
        ['claude', 'gemini'],
        ['responses', 'gemini'],
      ] as const) {
        test(`begins on ${home}, goes on on ${away}, returns to ${home}: its seals are valid, no other's reach anyone`, async () => {
          const pair = bench.pair(client, home, stream)
          const talk: Step[] = [{ user: 'Which time is it?' }]
          await turn(pair, talk, home, 'call_1')
          const there = await turn(pair, talk, away, 'call_2')
          expect(sealsIn(there.seen.parts)).toEqual([])
          expect(pair.provider.last.text).not.toContain(seals[home])
          const back = await turn(pair, talk, home, 'call_3')
          expect(sealsIn(back.seen.parts)).toEqual([{ seal: seals[home], before: 'call_1' }])
          if (seals[away] !== '') expect(pair.provider.last.text).not.toContain(seals[away])
          // Every call and every result is still there, in order, with its own id.
          expect(back.seen.parts.flatMap((part) => ('call' in part ? [part.call.id] : 'result' in part ? [part.result] : []))).toEqual([
            'call_1',
            'call_1b',
            'call_1',
            'call_1b',
            'call_2',
            'call_2b',
            'call_2',
            'call_2b',
          ])
        })
      }
    })
  }
}
