import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Event, Message, Turn } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'

const OWN_FOLDER = join(import.meta.dir, 'fixtures')
const RECORDED = join(process.env.TOLLGATE_FIXTURES ?? join(import.meta.dir, '../../../../../shared/fixtures'), 'google')

/** A call as the relay would describe it to an encoder. */
export const CALL: StreamCall = { model: 'house-model', wantsUsage: true, created: 1_795_300_000, id: 'ours' }

/** Our own fixtures and, on a machine that has them, the recorded ones whose name ends in `ending`. */
export function fixtures(ending: string): { name: string; path: string }[] {
  return [OWN_FOLDER, RECORDED]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => ({ name, path: join(folder, name) })),
    )
}

export function ours(name: string): JsonObject {
  return JSON.parse(readFileSync(join(OWN_FOLDER, name), 'utf8')) as JsonObject
}

/** The frames of a recorded stream, one JSON a line. */
export function framesOf(path: string): Frame[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((data) => ({ data }))
}

export function oursFrames(name: string): Frame[] {
  return framesOf(join(OWN_FOLDER, name))
}

/** Chunks of a stream written in a test. */
export function chunks(...bodies: JsonObject[]): Frame[] {
  return bodies.map((body) => ({ data: JSON.stringify(body) }))
}

/** Chunks that bring one part each, ended by STOP. */
export function parts(...list: JsonObject[]): Frame[] {
  const rows = list.map((part): JsonObject => ({ candidates: [{ content: { role: 'model', parts: [part] }, index: 0 }], responseId: 'r' }))
  return chunks(...rows, { candidates: [{ finishReason: 'STOP', index: 0 }], responseId: 'r' })
}

/** Pushes everything through a translator and ends it. */
export function run<In, Out>(translator: Translator<In, Out>, inputs: Iterable<In>): Out[] {
  const outputs: Out[] = []
  for (const input of inputs) outputs.push(...translator.push(input))
  return [...outputs, ...translator.end()]
}

/** Events without what differs by how a stream was cut: usage before the last, pieces of a text. */
export function settled(events: Event[]): Event[] {
  const last = events.findLast((event) => event.type === 'usage')
  const kept: Event[] = []
  for (const event of events) {
    const before = kept.at(-1)
    if (event.type === 'usage' && event !== last) continue
    if (event.type === 'delta' && before?.type === 'delta' && before.choice === event.choice && before.index === event.index)
      before.text += event.text
    else kept.push({ ...event })
  }
  return kept.sort((a, b) => order(a) - order(b))
}

/** The usage stands beside the talk; its place among the blocks means nothing. */
function order(event: Event): number {
  return event.type === 'usage' ? 1 : event.type === 'finish' ? 2 : 0
}

/** A turn of another protocol. */
export function turn(members: Partial<Turn>): Turn {
  return { model: 'gemini-3-flash', stream: false, system: [], messages: [], tools: [], ext: { claude: {} }, ...members }
}

export function says(role: Message['role'], ...content: Message['content']): Message {
  return { role, content }
}
