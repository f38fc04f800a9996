/** Writes docs/losses.md: what each protocol's requests and answers lose on every other, as the codecs say it. */
import type { JsonObject } from '../../contract/json.ts'
import { collect } from '../../server/relay/protocols/collect.ts'
import type { Loss, Turn } from '../../server/relay/protocols/canonical.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import { inClientWords } from '../../server/relay/protocols/places.ts'
import { richRequests } from '../matrix/rich.ts'
import { names, ownRequests, ownStreams, type ProtocolName } from '../protocols/recorded.ts'
import { probes } from './probes.ts'

export const LOSSES_FILE = new URL('../../docs/losses.md', import.meta.url).pathname

const titles: Record<ProtocolName, string> = {
  'openai-chat': 'Chat Completions',
  'openai-responses': 'Responses',
  claude: 'Claude Messages',
  gemini: 'Gemini',
}
/** The model each upstream is asked for: some losses are a model's own. */
const models: Record<ProtocolName, string> = {
  'openai-chat': 'deepseek-chat',
  'openai-responses': 'gpt-5.1',
  claude: 'claude-sonnet-4-5',
  gemini: 'gemini-3-pro',
}
const rich: Record<ProtocolName, JsonObject> = {
  'openai-chat': richRequests.chat.body,
  'openai-responses': richRequests.responses.body,
  claude: richRequests.claude.body,
  gemini: richRequests.gemini.body,
}
const CALL = { model: 'm', wantsUsage: true, created: 0, id: 'id' }

/** Path without its indexes -> upstream -> reasons. */
type Table = Map<string, Map<ProtocolName, Set<string>>>

function note(table: Table, column: ProtocolName, losses: readonly Loss[]): void {
  for (const { path, reason } of losses) {
    const row = path.replace(/\[\d+\]/g, '[]')
    const columns = table.get(row) ?? new Map<ProtocolName, Set<string>>()
    table.set(row, columns)
    columns.set(column, (columns.get(column) ?? new Set()).add(reason))
  }
}

function requestTable(client: ProtocolName): Table {
  const table: Table = new Map()
  const { decodeRequest, words } = protocols[client]
  for (const body of [rich[client], ...ownRequests(client), ...probes[client]]) {
    for (const upstream of names) {
      if (upstream === client) continue
      const turn = decodeRequest({ model: 'm', ...body }, { model: 'm', action: 'generateContent' })
      fetchFiles(turn, upstream)
      const { losses } = protocols[upstream].encodeRequest({ ...turn, model: models[upstream] })
      note(table, upstream, inClientWords(losses, turn, words))
    }
  }
  return table
}

/** As the relay does (inline-media.ts): what the upstream does not fetch by itself stands in the request. */
function fetchFiles(turn: Turn, upstream: ProtocolName): void {
  for (const block of turn.messages.flatMap((message) => message.content)) {
    if (block.type !== 'media' || !('url' in block.data) || protocols[upstream].takesUrl(block, models[upstream])) continue
    block.data = { base64: 'AA==' }
  }
}

function answerTable(client: ProtocolName): Table {
  const table: Table = new Map()
  for (const { by, frames } of ownStreams()) {
    if (by === client) continue
    const decoder = protocols[by].decodeStream()
    const answer = collect([...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()])
    note(table, by, protocols[client].encodeResponse(answer, CALL).losses)
  }
  return table
}

function markdown(table: Table, client: ProtocolName, word: string): string {
  const columns = names.filter((name) => name !== client)
  const cell = (reasons: Set<string> | undefined): string => (reasons ? [...reasons].toSorted().join('; ').replaceAll('|', '\\|') : '')
  const rows = [...table]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, reasons]) => `| \`${path}\` | ${columns.map((column) => cell(reasons.get(column))).join(' | ')} |`)
  if (rows.length === 0) return 'Nothing.\n'
  const head = `| lost | ${columns.map((column) => `${word} ${titles[column]}`).join(' | ')} |\n|---|${columns.map(() => '---').join('|')}|`
  return `${head}\n${rows.join('\n')}\n`
}

/** The whole document. */
export function lossesDocument(): string {
  const parts = names.map(
    (client) => `## ${titles[client]} clients

### Requests

${markdown(requestTable(client), client, 'on')}
### Answers

${markdown(answerTable(client), client, 'from')}`,
  )
  return `# What cannot cross

Made by \`npm run conformance\` from the codecs; a test fails when it is stale. Do not edit.

Where client and upstream speak the same protocol nothing is lost: the client's own body goes out with the model's name replaced.
Elsewhere each row is a place in the client's own body, or in its answer, and each cell says why it cannot cross; an empty cell means
that it crosses, or that nobody asks for it there. A call tells its losses in the header \`x-tollgate-dropped\` (of a stream: what is known
before its first byte) and all of them in \`losses\` of its log row. Asked were every request of \`test/matrix/rich.ts\`,
\`test/conformance/probes.ts\` and the protocols' fixtures, with the upstream models ${names.map((name) => `\`${models[name]}\``).join(', ')}; the
answers are the protocols' recorded ones.

${parts.join('\n')}`
}
