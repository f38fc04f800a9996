/**
 * `npm run conformance`: runs the cases of test/matrix with the makers' own SDKs through a real server against scripted upstreams,
 * for every pair, streamed and not, and writes docs/conformance.md. Exits with 1 when something does not cross.
 */
import type { Wire } from '../upstream/script.ts'
import { startBench, wires, type Bench, type Sdk } from '../matrix/bench.ts'
import { LOSSES_FILE, lossesDocument } from './losses.ts'
import { features, type Feature } from '../matrix/features.ts'

const FILE = new URL('../../docs/conformance.md', import.meta.url).pathname

const clients: readonly { wire: Wire; sdk: Sdk; name: string }[] = [
  { wire: 'chat', sdk: 'maker', name: '`openai` chat' },
  { wire: 'responses', sdk: 'maker', name: '`openai` responses' },
  { wire: 'claude', sdk: 'maker', name: '`@anthropic-ai/sdk`' },
  { wire: 'gemini', sdk: 'maker', name: '`@google/genai`' },
  { wire: 'chat', sdk: 'ai', name: '`ai` + `@ai-sdk/openai` chat' },
  { wire: 'responses', sdk: 'ai', name: '`ai` + `@ai-sdk/openai` responses' },
  { wire: 'claude', sdk: 'ai', name: '`ai` + `@ai-sdk/anthropic`' },
  { wire: 'gemini', sdk: 'ai', name: '`ai` + `@ai-sdk/google`' },
]
const upstreamNames: Record<Wire, string> = {
  chat: 'Chat Completions',
  responses: 'Responses',
  claude: 'Claude Messages',
  gemini: 'Gemini',
}

/** How a feature crosses: `yes`, `lossy (what)` or `no (why)`. */
async function judge(
  bench: Bench,
  feature: Feature,
  { wire, sdk }: (typeof clients)[number],
  upstream: Wire,
  stream: boolean,
): Promise<string> {
  const pair = bench.pair(wire, upstream, stream, sdk)
  try {
    await feature.run(pair)
    await bench.served.expectBooks()
  } catch (error) {
    const why =
      error instanceof Error
        ? (Bun.stripANSI(error.message)
            .split('\n')
            .find((line) => line.trim() !== '') ?? '')
        : String(error)
    return `**no** (${why.slice(0, 120)})`
  }
  const lost = [...new Set(pair.losses.map(({ path }) => path))]
  return lost.length === 0 ? 'yes' : `lossy (\`${lost.join('`, `')}\`)`
}

async function table(bench: Bench, feature: Feature): Promise<{ text: string; failed: number }> {
  const rows: string[] = []
  let failed = 0
  for (const client of clients) {
    const cells: string[] = []
    for (const upstream of wires) {
      const whole = await judge(bench, feature, client, upstream, false)
      const streamed = await judge(bench, feature, client, upstream, true)
      failed += [whole, streamed].filter((cell) => cell.startsWith('**no**')).length
      cells.push(whole === streamed ? whole : `whole: ${whole}; streamed: ${streamed}`)
    }
    rows.push(`| ${client.name} | ${cells.join(' | ')} |`)
  }
  const head = `| client \\ upstream | ${wires.map((wire) => upstreamNames[wire]).join(' | ')} |\n|---|${wires.map(() => '---').join('|')}|`
  return { text: `### ${feature.title}\n\n${head}\n${rows.join('\n')}\n`, failed }
}

const bench = await startBench()
let failed = 0
const tables: string[] = []
for (const feature of features) {
  const made = await table(bench, feature)
  tables.push(made.text)
  failed += made.failed
}
await bench.close()
await Bun.write(
  FILE,
  `# Conformance

Made by \`npm run conformance\`; do not edit. The makers' own SDKs and the \`ai\` SDK speak to a real server, which speaks to scripted upstreams that
refuse what the makers refuse. Each cell was run whole and streamed; it says one word when both are alike. **yes**: what the client
sent arrived, what the upstream answered came back, meters and cost are right. **lossy**: it works, and what could not cross is told in
\`x-tollgate-dropped\` and in the log row. **no**: it does not work.

## Features

${tables.join('\n')}
What cannot cross, with the reasons: [losses.md](losses.md).
`,
)
await Bun.write(LOSSES_FILE, lossesDocument())
console.log(`${features.length * clients.length * wires.length * 2} cells, ${failed} of them no: docs/conformance.md, docs/losses.md`)
process.exit(failed > 0 ? 1 : 0)
