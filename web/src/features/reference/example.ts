import { resolve, withoutNull, type ApiDocument, type Operation, type Schema } from './document.ts'

/** Deeper than any answer is nested; a schema that holds itself ends here. */
const MAX_DEPTH = 6
const HELLO = [{ role: 'user', content: 'Hello' }]
const CONTENTS = [{ role: 'user', parts: [{ text: 'Hello' }] }]

/** Bodies of the gateway's operations: their schemas are the makers' own. `model` stands for the model's name. */
const gatewayBodies: readonly (readonly [RegExp, (model: string) => object])[] = [
  [/chat\/completions$/, (model) => ({ model, messages: HELLO })],
  [/v1\/completions$/, (model) => ({ model, prompt: 'Hello', max_tokens: 50 })],
  [/responses(\/input_tokens)?$/, (model) => ({ model, input: 'Hello' })],
  [/messages\/count_tokens$/, (model) => ({ model, messages: HELLO })],
  [/messages$/, (model) => ({ model, max_tokens: 1024, messages: HELLO })],
  [/embeddings$/, (model) => ({ model, input: 'Hello' })],
  [/moderations$/, (model) => ({ model, input: 'Hello' })],
  [/rerank$/, (model) => ({ model, query: 'Hello', documents: ['Good day', 'Goodbye'] })],
  [/images\/generations$/, (model) => ({ model, prompt: 'A quiet harbour at dawn' })],
  [/images\/edits$/, (model) => ({ model, prompt: 'The same at night', images: [{ image_url: 'https://example.com/harbour.png' }] })],
  [/audio\/speech$/, (model) => ({ model, voice: 'alloy', input: 'Hello' })],
  [/:(generateContent|streamGenerateContent|countTokens)$/, () => ({ contents: CONTENTS })],
  [/:embedContent$/, () => ({ content: { parts: [{ text: 'Hello' }] } })],
  [/:batchEmbedContents$/, (model) => ({ requests: [{ model: `models/${model}`, content: { parts: [{ text: 'Hello' }] } }] })],
]

/** A body that says what can be said, or undefined where the operation takes none as JSON. */
export function exampleBody(document: ApiDocument, operation: Operation, model: string): unknown {
  const schema = operation.body?.['application/json']?.schema
  if (schema === undefined) return undefined
  if (operation.caller === 'gateway') return gatewayBodies.find(([path]) => path.test(operation.path))?.[1](model) ?? {}
  return exampleOf(document, schema)
}

/**
 * A value of the schema: the members that must be there, the first of several choices. What may be left out is left out, so that
 * whoever sends the example as it stands changes nothing unasked.
 */
function exampleOf(document: ApiDocument, given: Schema, depth = 0): unknown {
  const { schema } = withoutNull(resolve(document, given))
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0]
  if (choice) return exampleOf(document, choice, depth + 1)
  if (depth > MAX_DEPTH) return null
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  switch (type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, exampleOf(document, schema.properties?.[name] ?? {}, depth + 1)]),
      )
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(document, schema.items, depth + 1)]
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, 1)
    case 'boolean':
      return true
    case 'string':
      return 'string'
    default:
      return null
  }
}

/** What is filled in for a request. */
export interface Filled {
  readonly params: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** The address with its parameters; a query parameter that is empty is left out, one of the path that is empty keeps its name. */
export function addressOf(operation: Operation, params: Readonly<Record<string, string>>): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name] ?? ''
    // A model's name may hold slashes and is read with them.
    return value === '' ? whole : encodeURIComponent(value).replaceAll('%2F', '/')
  })
  const query = new URLSearchParams()
  for (const { name, in: place } of operation.parameters) {
    const value = params[name] ?? ''
    if (place === 'query' && value !== '') query.set(name, value)
  }
  return query.size === 0 ? path : `${path}?${query}`
}

/** The same request for a terminal. `bearer` is what stands for the credential; undefined: none is needed. */
export function curlOf(base: string, operation: Operation, { params, body }: Filled, bearer: string | undefined): string {
  const lines = [`curl ${operation.method === 'GET' ? '' : `-X ${operation.method} `}${quoted(base + addressOf(operation, params))}`]
  if (bearer !== undefined) lines.push(`-H "Authorization: Bearer ${bearer}"`)
  if (body !== undefined) lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`)
  else if (operation.body?.['multipart/form-data']) lines.push(`-F model=MODEL`, `-F file=@FILE`)
  return lines.join(' \\\n  ')
}

/** For a POSIX shell: nothing inside single quotes means anything but themselves. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
