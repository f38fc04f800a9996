import type { JsonObject } from '../../contract/json.ts'
import type { Wire } from '../upstream/script.ts'
import type { Heard } from './hear.ts'

/** One program, as it was seen to ask in autumn 2026: a first turn, and a second one with the tool's result. */
export interface Agent {
  readonly name: string
  readonly wire: Wire
  /** Everything but the content type. */
  headers(key: string): Record<string, string>
  /** The body of its first turn, without the model where the address has it. */
  first(model: string): JsonObject
  /** What it sends after it ran the tool it was asked to call. */
  second(model: string, heard: Heard): JsonObject
  /** A request without tools that it sends beside the talk, for a title. */
  title?(model: string): JsonObject
  /** What must reach every upstream, in order. */
  readonly says: {
    readonly system: string
    readonly users: readonly string[]
    readonly tools: readonly string[]
    readonly thinking?: boolean
    readonly maxTokens?: number
  }
  /** Places of the second body that an upstream has no words for, indexes left out; nothing else may be lost. */
  readonly loses: Partial<Record<Wire, readonly string[]>>
}

/** The tool that is called. Agents write schemas with all of JSON Schema's words. */
export const TOOL = 'read_file'
export const schema: JsonObject = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^[^\\0]+$', format: 'uri-reference' },
    lines: { anyOf: [{ type: 'integer' }, { type: 'array', items: { oneOf: [{ type: 'integer' }, { type: 'string' }] } }] },
  },
  required: ['path'],
  additionalProperties: false,
}
/** The subset Google's older form has. */
export const openApiSchema: JsonObject = { type: 'OBJECT', properties: { path: { type: 'STRING' } }, required: ['path'] }

export const RESULT = 'The file says: 你好 "x" \\ \n'
/** Instructions as long as agents' are: a first turn of 81 KB was seen. */
export const LONG = `You are an agent.\n${'Follow the rules of the repository, whatever they are.\n'.repeat(1_300)}`

export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
export const googleKey = (key: string): Record<string, string> => ({ 'x-goog-api-key': key })
