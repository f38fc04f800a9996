import type { Site } from '../test/site.ts'
import { median } from './measure.ts'
import { cpuPer, load, type Target } from './processes.ts'

/** A line of the table with one value. */
export interface Figure {
  id: string
  what: string
  goal: string
  value: string
}

/** Each protocol: the channel type that speaks it, and the address a client of it calls. */
const wires = {
  chat: { type: 'openai', path: () => '/v1/chat/completions' },
  responses: { type: 'responses', path: () => '/v1/responses' },
  claude: { type: 'claude', path: () => '/v1/messages' },
  gemini: { type: 'gemini', path: (model: string) => `/v1beta/models/${model}:streamGenerateContent?alt=sse` },
}
type Wire = keyof typeof wires
const all = Object.keys(wires) as Wire[]

const CONCURRENCY = 32
const REQUESTS = 3_000
const WARM_UP = 3_000

/** Sells `fast-on-<wire>` and `paced-on-<wire>` over a channel of each protocol. */
export async function sellOnAll(site: Site, upstream: string): Promise<void> {
  for (const wire of all) {
    const channel = await site.addChannel({ baseUrl: upstream, type: wires[wire].type, name: wire })
    for (const model of ['fast', 'paced']) await site.sell(channel, `${model}-on-${wire}`, undefined, model)
  }
}

/**
 * P3: CPU per stream of 20 chunks at once for each of the 12 translated pairs, and as a multiple of P2 (chat on chat) taken before each
 * client's three: what a server costs grows with what it has done before. P2b for one of the pairs.
 */
export async function translatedStreams(target: Target): Promise<Figure[]> {
  const cpuOf = async (client: Wire, upstream: Wire): Promise<number> => {
    const model = `fast-on-${upstream}`
    const args = ['closed', `${target.base}${wires[client].path(model)}`, target.key, model, 1, CONCURRENCY]
    await load([...args, WARM_UP])
    return (await cpuPer(target, 'requests', [...args, REQUESTS])).cpu
  }
  const found: { pair: string; cpu: number; multiple: number }[] = []
  for (const client of all) {
    const same = await cpuOf('chat', 'chat')
    for (const upstream of all) {
      if (client === upstream) continue
      const cpu = await cpuOf(client, upstream)
      found.push({ pair: `${client} on ${upstream}`, cpu, multiple: cpu / same })
    }
  }
  found.sort((a, b) => a.multiple - b.multiple)
  const [best, worst] = [found[0], found.at(-1)]
  const middle = median(found.map(({ cpu }) => cpu)).toFixed(0)
  const times = median(found.map(({ multiple }) => multiple)).toFixed(2)
  const paced = ['hold', `${target.base}${wires.chat.path()}`, target.key, 'paced-on-claude', 500, 6]
  return [
    {
      id: 'P3',
      what: 'CPU per translated stream of 20 chunks, 12 pairs',
      goal: '<= 2 x P2 each',
      value: `median ${middle} us; ${times} x, ${best?.pair} ${best?.multiple.toFixed(2)} x to ${worst?.pair} ${worst?.multiple.toFixed(2)} x`,
    },
    {
      id: 'P2b',
      what: 'CPU per chunk, 500 paced streams, chat on claude',
      goal: '<= 60 us',
      value: `${(await cpuPer(target, 'chunks', paced)).cpu.toFixed(0)} us`,
    },
  ]
}
