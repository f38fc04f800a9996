import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../../../contract/json.ts'
import type { Event, Message, Turn } from '../canonical.ts'
import type { Frame, StreamCall, Translator } from '../protocol.ts'
import { openaiChat } from './index.ts'

const OWN_FOLDER = join(import.meta.dir, 'fixtures')
const RECORDED = process.env.TOLLGATE_FIXTURES ?? join(import.meta.dir, '../../../../../shared/fixtures')
/** The recorded vendors that speak Chat Completions. */
const VENDORS = [
  'alibaba',
  'azure',
  'deepseek/chat',
  'groq',
  'mistral',
  'moonshotai',
  'openai/chat',
  'openai-compatible/chat',
  'perplexity',
  'xai',
]

/** A call as the relay would describe it to an encoder. */
export const CALL: StreamCall = { model: 'house-model', wantsUsage: true, created: 1_795_300_000, id: 'chatcmpl-ours' }

export interface Fixture {
  name: string
  path: string
}

/** Our own fixtures and, on a machine that has them, the recorded ones whose name ends in `ending`. */
export function fixtures(ending: string): Fixture[] {
  const folders = [OWN_FOLDER, ...VENDORS.map((vendor) => join(RECORDED, vendor))].filter((folder) => existsSync(folder))
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => ({ name, path: join(folder, name) })),
  )
}

/** Whole answers: bodies with choices. */
export function answers(): { name: string; body: JsonObject }[] {
  return fixtures('.json')
    .map(({ name, path }) => ({ name, body: read(path) }))
    .filter(({ body }) => Array.isArray(body.choices))
}

/** Recorded streams of Chat Completions chunks. */
export function streams(): { name: string; frames: Frame[] }[] {
  return fixtures('.chunks.txt')
    .map(({ name, path }) => ({ name, frames: framesOf(path) }))
    .filter(({ frames }) => frames[0]?.data.includes('"choices"'))
}

function read(path: string): JsonObject {
  return JSON.parse(readFileSync(path, 'utf8')) as JsonObject
}

/** One JSON fixture of ours by its name. */
export function ours(name: string): JsonObject {
  return read(join(OWN_FOLDER, name))
}

/** The frames of a recorded stream, one JSON a line, with the end marker. */
export function framesOf(path: string): Frame[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
  return [...lines.map((data) => ({ data })), { data: '[DONE]' }]
}

/** The stream of ours by its name. */
export function oursFrames(name: string): Frame[] {
  return framesOf(join(OWN_FOLDER, name))
}

/** Chunks of one choice with these deltas, the finish reason and `[DONE]`. */
export function deltas(list: JsonObject[], finish = 'stop'): Frame[] {
  const chunk = (delta: JsonObject, reason: string | null): Frame => ({
    data: JSON.stringify({
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: reason }],
    }),
  })
  return [...list.map((delta) => chunk(delta, null)), chunk({}, finish), { data: '[DONE]' }]
}

/** Pushes everything through a translator and ends it. */
export function run<In, Out>(translator: Translator<In, Out>, inputs: Iterable<In>): Out[] {
  const outputs: Out[] = []
  for (const input of inputs) outputs.push(...translator.push(input))
  outputs.push(...translator.end())
  return outputs
}

/** The JSON of frames, without the end marker. */
export function jsonOf(frames: Frame[]): JsonObject[] {
  return frames.filter((frame) => frame.data !== '[DONE]').map((frame) => JSON.parse(frame.data) as JsonObject)
}

/** Events without what differs by how a stream was cut: pieces of one text. */
export function settled(events: Event[]): Event[] {
  const kept: Event[] = []
  for (const event of events) {
    const last = kept.at(-1)
    if (
      event.type === 'delta' &&
      last?.type === 'delta' &&
      last.index === event.index &&
      last.choice === event.choice &&
      !event.ext &&
      !event.logprobs
    ) {
      kept[kept.length - 1] = { ...last, text: last.text + event.text }
    } else kept.push(event)
  }
  return kept
}

/** A turn of another protocol. */
export function turn(members: Partial<Turn>): Turn {
  return {
    model: 'gpt-5.1',
    stream: false,
    system: [],
    messages: [says('user', { type: 'text', text: 'Hi' })],
    tools: [],
    ext: { claude: {} },
    ...members,
  }
}

export function says(role: Message['role'], ...content: Message['content']): Message {
  return { role, content }
}

/** The request of such a turn, and the paths of what was lost. */
export function encode(members: Partial<Turn>): { body: JsonObject; paths: string[] } {
  const { body, losses } = openaiChat.encodeRequest(turn(members))
  return { body, paths: losses.map((loss) => loss.path) }
}
