/** The parts of an OpenAPI document that the reference draws; `GET /openapi.json` is made from the server's own schemas. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly default?: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface RawOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly 'x-access'?: Access
  readonly externalDocs?: { readonly url: string }
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly 'x-errors': readonly { readonly code: string; readonly status: number; readonly message: string }[]
}

export type Access = 'public' | 'user' | 'support' | 'finance' | 'admin' | 'owner'
/** Who may call: the document's levels, and whoever has a key. */
export type Caller = Access | 'gateway'

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly caller: Caller
  /** The maker's own pages, of gateway operations. */
  readonly docsUrl: string | undefined
  readonly parameters: readonly Parameter[]
  readonly body: Content | undefined
  readonly answer: Content | undefined
}

const SUCCESS = ['200', '201', '204', '302']

/** Every operation in the document's order, the gateway's first: most readers come for them. */
export function operationsOf(document: ApiDocument): Operation[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]): Operation => {
      const success = SUCCESS.find((status) => status in raw.responses)
      return {
        id: raw.operationId,
        method: method.toUpperCase(),
        path,
        tag: raw.tags[0] ?? '',
        summary: raw.summary,
        caller: raw['x-access'] ?? 'gateway',
        docsUrl: raw.externalDocs?.url,
        parameters: raw.parameters ?? [],
        body: raw.requestBody?.content,
        answer: success === undefined ? undefined : raw.responses[success]?.content,
      }
    }),
  )
  return [...all.filter(({ caller }) => caller === 'gateway'), ...all.filter(({ caller }) => caller !== 'gateway')]
}

/** Those that have every word of the search in method, path, name or summary. */
export function search(operations: readonly Operation[], text: string): Operation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...operations]
  return operations.filter(({ method, path, tag, summary }) => {
    const hay = `${method} ${path} ${tag} ${summary}`.toLowerCase()
    return words.every((word) => hay.includes(word))
  })
}

/** What a reference stands for; anything else is itself. */
export function resolve(document: ApiDocument, schema: Schema): Schema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return name === undefined ? schema : (document.components.schemas[name] ?? {})
}

/** The schema without a `null` beside it, and whether there was one. */
export function withoutNull(schema: Schema): { schema: Schema; nullable: boolean } {
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const types = schema.type.filter((type) => type !== 'null')
    return { schema: { ...schema, type: types.length === 1 ? types[0] : types }, nullable: true }
  }
  const some = schema.anyOf?.filter(({ type }) => type !== 'null')
  if (schema.anyOf && some && some.length < schema.anyOf.length) {
    const [only] = some
    return {
      schema:
        some.length === 1 && only
          ? { ...only, ...(schema.description && { description: schema.description }) }
          : { ...schema, anyOf: some },
      nullable: true,
    }
  }
  return { schema, nullable: false }
}

/** A type in a few words: `string`, `integer[]`, `"a" | "b"`. */
export function typeOf(document: ApiDocument, given: Schema): string {
  const { schema, nullable } = withoutNull(resolve(document, given))
  const end = nullable ? ' | null' : ''
  if (schema.const !== undefined) return JSON.stringify(schema.const) + end
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ') + end
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map((choice) => typeOf(document, choice)))].join(' | ') + end
  if (schema.type === 'array') return `${wrapped(typeOf(document, schema.items ?? {}))}[]${end}`
  if (schema.type === undefined) return `any${end}`
  return (typeof schema.type === 'string' ? schema.type : schema.type.join(' | ')) + end
}

function wrapped(type: string): string {
  return type.includes(' ') ? `(${type})` : type
}
