import { z } from 'zod'
import { errors } from '../contract/errors.ts'
import type { JsonObject } from '../contract/json.ts'
import type { OpenapiDocument } from '../server/features/openapi/document.ts'

/** Below these every address that is answered must be in the document. */
const DOCUMENTED = /^\/(api|auth|v1|v1beta|health|ready|metrics|openapi\.json)(\/|$)/

interface Operation {
  method: string
  pattern: RegExp
  /** How many parts of the path are fixed: `/a/b` goes before `/a/{id}`. */
  fixed: number
  path: string
  responses: Record<string, { content?: Record<string, { schema: JsonObject }> }>
  /** Zod made from the document's JSON Schema, by status and media type. */
  parsers: Map<string, z.ZodType>
}

/**
 * Checks answers against the OpenAPI document itself, not against what it was made from: the operation is in it, the
 * status and the media type are, and the body has exactly the schema's members.
 */
export class DocumentedAnswers {
  readonly #operations: readonly Operation[]
  readonly #error: z.ZodType
  readonly #schemas: Record<string, JsonObject>

  constructor({ paths, components }: OpenapiDocument) {
    this.#schemas = components['schemas'] as Record<string, JsonObject>
    this.#error = z.fromJSONSchema(this.#schemas['Error'] as z.core.JSONSchema.JSONSchema)
    this.#operations = Object.entries(paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({
          method: method.toUpperCase(),
          path,
          pattern: patternOf(path),
          fixed: path.split('/').filter((part) => !part.includes('{')).length + (path.includes(':') ? 1 : 0),
          responses: (operation as { responses: Operation['responses'] }).responses,
          parsers: new Map<string, z.ZodType>(),
        })),
      )
      .toSorted((a, b) => b.fixed - a.fixed)
  }

  /** @throws Error that says what the document does not have */
  async check(request: Request, response: Response): Promise<void> {
    const { pathname } = new URL(request.url)
    if (!DOCUMENTED.test(pathname)) return
    const { status } = response
    const operation = this.#operations.find(({ method, pattern }) => method === request.method && pattern.test(pathname))
    if (operation === undefined) {
      // Nothing is served there, a slash too many is sent on, or a body was refused before anything was looked at.
      if (status === 404 || status === 301 || status === 307) return
      throw new Error(`${request.method} ${pathname} answers ${status} and is not in the OpenAPI document`)
    }
    const name = `${operation.method} ${operation.path}`
    const key = operation.responses[status] ? `${status}` : `${Math.floor(status / 100)}XX`
    const documented = operation.responses[key]
    if (documented === undefined) throw new Error(`${name} answers ${status}, which the OpenAPI document does not have`)
    const media = response.headers.get('content-type')?.split(';')[0]?.trim() ?? ''
    if (documented.content === undefined) return
    if (!Object.keys(documented.content).some((type) => type === media || (type.endsWith('/*') && media.startsWith(type.slice(0, -1)))))
      throw new Error(`${name} answers ${status} as ${media}, which the OpenAPI document does not have`)
    const schema = documented.content[media]?.schema
    if (media !== 'application/json' || schema === undefined || pathname.startsWith('/v1')) return
    const body: unknown = await response.clone().json()
    const parser = this.#parser(operation, key, schema)
    const result = parser.safeParse(body)
    if (!result.success) throw new Error(`${name} answers ${status} with what the OpenAPI document does not have: ${result.error.message}`)
    if (status >= 400) checkCode(name, status, body as { code?: unknown })
  }

  #parser(operation: Operation, key: string, schema: JsonObject): z.ZodType {
    if ('$ref' in schema) return this.#error
    const known = operation.parsers.get(key)
    if (known) return known
    // Zod looks for references in `$defs` only.
    const text = JSON.stringify({ ...schema, $defs: JSON.stringify(schema).includes('$ref') ? this.#schemas : {} })
    const parser = z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as z.core.JSONSchema.JSONSchema)
    operation.parsers.set(key, parser)
    return parser
  }
}

/** A code stands for one status. */
function checkCode(name: string, status: number, { code }: { code?: unknown }): void {
  const row = Object.entries(errors).find(([one]) => one === code)?.[1]
  if (row && row.status !== status) throw new Error(`${name} answers ${status} with the code ${String(code)}, which is ${row.status}`)
}

/** A gateway path's model may hold slashes. */
function patternOf(path: string): RegExp {
  const text = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, (_, name: string) => (name === 'model' ? '.+' : '[^/]+'))
  return new RegExp(`^${text}$`)
}
