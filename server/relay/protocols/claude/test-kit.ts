import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Event, Message, Turn } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { claude } from './index.ts'

const OWN_FOLDER = join(import.meta.dir, 'fixtures')
const RECORDED = join(process.env.TOLLGATE_FIXTURES ?? join(import.meta.dir, '../../../../../shared/fixtures'), 'anthropic')

/** A call as the relay would describe it to an encoder. */
export const CALL: StreamCall = { model: 'house-model', wantsUsage: true, created: 1_795_300_000, id: 'msg_ours', estimatedInput: 11 }

export interface Fixture {
  name: string
  path: string
}

/** Our own fixtures and, on a machine that has them, the recorded ones whose name ends in `ending`. */
export function fixtures(ending: string): Fixture[] {
  return [OWN_FOLDER, RECORDED]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => ({ name, path: join(folder, name) })),
    )
}

/** One JSON fixture of ours by its name. */
export function ours(name: string): JsonObject {
  return JSON.parse(readFileSync(join(OWN_FOLDER, name), 'utf8'))
}

/** The frames of a recorded stream; the event's name is the JSON's `type`. */
export function framesOf(path: string): Frame[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.map((data) => ({ event: JSON.parse(data).type, data }))
}

/** Frames of a stream written in a test. */
export function frames(...events: JsonObject[]): Frame[] {
  return events.map((event) => ({ event: String(event.type), data: JSON.stringify(event) }))
}

/** Pushes everything through a translator and ends it. */
export function run<In, Out>(translator: Translator<In, Out>, inputs: Iterable<In>): Out[] {
  const outputs: Out[] = []
  for (const input of inputs) outputs.push(...translator.push(input))
  outputs.push(...translator.end())
  return outputs
}

/** Events without what differs by how a stream was cut: pings, usage before the last, pieces of a text. */
export function settled(events: Event[]): Event[] {
  const kept: Event[] = []
  const usage = events.findLast((event) => event.type === 'usage')
  for (const event of events) {
    if (event.type === 'ping' || event.type === 'usage') continue
    const last = kept.at(-1)
    if (event.type === 'delta' && last?.type === 'delta' && last.index === event.index && !event.ext && !last.ext) {
      kept[kept.length - 1] = { ...last, text: last.text + event.text }
    } else kept.push(event)
  }
  return usage ? [...kept, usage] : kept
}

/** A turn as another protocol's decoder would give it. */
function turn(members: Partial<Turn>): Turn {
  return { model: 'claude-opus-5', stream: false, system: [], messages: [user('Hi')], tools: [], ...members }
}

/** A user's message of one text. */
export function user(text: string): Message {
  return { role: 'user', content: [{ type: 'text', text }] }
}

/** The Claude request of such a turn, and the paths of what was lost. */
export function encode(members: Partial<Turn>): { body: JsonObject; paths: string[] } {
  const { body, losses } = claude.encodeRequest(turn(members))
  return { body, paths: losses.map((loss) => loss.path) }
}

/** A tool without arguments. */
export const TOOL = { type: 'function', name: 'ls', schema: { type: 'object', properties: {} } } as const
