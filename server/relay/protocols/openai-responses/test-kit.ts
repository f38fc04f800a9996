import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Event, Message, Turn } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { openaiResponses } from './index.ts'

const OWN_FOLDER = join(import.meta.dir, 'fixtures')
const ROOT = process.env.TOLLGATE_FIXTURES ?? join(import.meta.dir, '../../../../../shared/fixtures')
const RECORDED = ['openai/responses', 'azure', 'xai/responses', 'open-responses/responses'].map((folder) => join(ROOT, folder))

/** A call as the relay would describe it to an encoder. */
export const CALL: StreamCall = { model: 'house-model', wantsUsage: true, created: 1_795_300_000, id: 'req_01-ours' }

export interface Fixture {
  name: string
  path: string
}

/** Our own fixtures and, on a machine that has them, the recorded ones whose name ends in `ending`. */
export function fixtures(ending: string): Fixture[] {
  return [OWN_FOLDER, ...RECORDED]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => ({ name: `${folder.split('/').at(-2)}/${name}`, path: join(folder, name) })),
    )
}

/** One JSON fixture by its path. */
export function json(path: string): JsonObject {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** One JSON fixture of ours by its name. */
export function ours(name: string): JsonObject {
  return json(join(OWN_FOLDER, name))
}

/** The streams in a recording, each from its `response.created` on; a few recordings hold several, and some lines were cut. */
export function streamsOf(path: string): Frame[][] {
  const streams: Frame[][] = []
  for (const data of readFileSync(path, 'utf8').split('\n')) {
    const event = parsed(data)
    if (event === undefined) continue
    if (event.type === 'response.created') streams.push([])
    streams.at(-1)?.push({ event: String(event.type), data })
  }
  return streams
}

function parsed(line: string): JsonObject | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The frames of a stream of ours. */
export function ourStream(name: string): Frame[] {
  return streamsOf(join(OWN_FOLDER, name))[0] ?? []
}

/** Frames of a stream written in a test. */
export function frames(...events: JsonObject[]): Frame[] {
  return events.map((event) => ({ event: String(event.type), data: JSON.stringify(event) }))
}

/** The JSON of frames. */
export function dataOf(list: Frame[]): JsonObject[] {
  return list.map((frame) => JSON.parse(frame.data))
}

/** Pushes everything through a translator and ends it. */
export function run<In, Out>(translator: Translator<In, Out>, inputs: Iterable<In>): Out[] {
  const outputs: Out[] = []
  for (const input of inputs) outputs.push(...translator.push(input))
  outputs.push(...translator.end())
  return outputs
}

export function decode(list: Frame[]): Event[] {
  return run(openaiResponses.decodeStream(), list)
}

export function encode(events: Event[], call = CALL): Frame[] {
  return run(openaiResponses.encodeStream(call), events)
}

/**
 * Without what differs from event to event although it means the same: sequence numbers, and the encrypted texts that OpenAI writes anew
 * in every event.
 */
export function settled(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (key === 'sequence_number' || key === 'obfuscation') return undefined
      return key === 'seal' || key === 'encrypted_content' || key === 'fingerprint' ? 'sealed' : each
    }),
  )
}

/** A user's message of one text. */
export function user(text: string): Message {
  return { role: 'user', content: [{ type: 'text', text }] }
}

/** The Responses request of a turn as another protocol's decoder would give it, and the paths of what was lost. */
export function encodeTurn(members: Partial<Turn>): { body: JsonObject; paths: string[] } {
  const turn: Turn = { model: 'gpt-5.4', stream: false, system: [], messages: [user('Hi')], tools: [], ...members }
  const { body, losses } = openaiResponses.encodeRequest(turn)
  return { body, paths: losses.map((loss) => loss.path) }
}
