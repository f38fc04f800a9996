import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import { protocols } from '../../server/relay/protocols/index.ts'
import type { Frame } from '../../server/relay/protocols/protocol.ts'

export type ProtocolName = keyof typeof protocols
export const names = Object.keys(protocols) as ProtocolName[]

const ROOT = new URL('../../', import.meta.url).pathname
/** Recorded traffic of vendors, on machines that have it. */
const RECORDED = process.env['TOLLGATE_FIXTURES'] ?? join(ROOT, '../shared/fixtures')

const OWN_FOLDERS = names.map((name) => join(ROOT, 'server/relay/protocols', name, 'fixtures'))

/** One recorded stream and who speaks it. */
export interface Recorded {
  by: ProtocolName
  name: string
  frames: Frame[]
}

/** The streams of our own fixtures and, where they are, the recorded ones; a file with several streams gives several. */
export function recordedStreams(): Recorded[] {
  return streamsIn([...OWN_FOLDERS, RECORDED])
}

/** The streams of our own fixtures: the same on every machine. */
export function ownStreams(): Recorded[] {
  return streamsIn(OWN_FOLDERS)
}

function streamsIn(folders: readonly string[]): Recorded[] {
  return files(folders, '.chunks.txt').flatMap((path) => split(linesOf(path)).flatMap((lines, index) => stream(path, lines, index)))
}

/** Our own requests of each protocol, by its folder. */
export function ownRequests(by: ProtocolName): JsonObject[] {
  return ownBodies(by, 'request')
}

/** Our own whole answers. */
export function ownAnswers(by: ProtocolName): JsonObject[] {
  return ownBodies(by, 'answer')
}

function ownBodies(by: ProtocolName, kind: 'request' | 'answer'): JsonObject[] {
  const folder = join(ROOT, 'server/relay/protocols', by, 'fixtures')
  return readdirSync(folder)
    .filter((name) => name.startsWith(kind) && name.endsWith('.json'))
    .flatMap((name) => objectIn(readFileSync(join(folder, name), 'utf8')))
}

function files(folders: readonly string[], ending: string): string[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => path.endsWith(ending))
    .toSorted()
}

function linesOf(path: string): { data: string; body: JsonObject }[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((data) => objectIn(data).map((body) => ({ data, body })))
}

function objectIn(text: string): JsonObject[] {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? [value] : []
  } catch {
    return []
  }
}

type Line = ReturnType<typeof linesOf>[number]

function split(lines: Line[]): Line[][] {
  const streams: Line[][] = []
  for (const line of lines) {
    const begins = line.body.type === 'response.created' || line.body.type === 'message_start'
    if (begins || streams.length === 0) streams.push([])
    streams.at(-1)?.push(line)
  }
  return streams
}

/** Events whose name is the JSON's `type`. */
function named(lines: Line[]): Frame[] {
  return lines.map(({ data, body }) => (typeof body.type === 'string' ? { event: body.type, data } : { data }))
}

/** Nothing for protocols the gateway does not speak (Bedrock's and Cohere's own). */
function stream(path: string, lines: Line[], index: number): Recorded[] {
  const first = lines[0]?.body
  if (!first) return []
  const name = `${path.split('/').slice(-2).join('/')}#${index}`
  if (first.type === 'message_start' && isObject(first.message)) return [{ by: 'claude', name, frames: named(lines) }]
  if (first.type === 'response.created') return [{ by: 'openai-responses', name, frames: named(lines) }]
  if (Array.isArray(first.choices))
    return [{ by: 'openai-chat', name, frames: [...lines.map(({ data }) => ({ data })), { data: '[DONE]' }] }]
  if (first.candidates !== undefined || first.usageMetadata !== undefined || first.promptFeedback !== undefined)
    return [{ by: 'gemini', name, frames: lines.map(({ data }) => ({ data })) }]
  return []
}
