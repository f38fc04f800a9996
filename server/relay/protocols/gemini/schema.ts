import { isObject } from '../../../../contract/json.ts'
import type { Json, JsonObject } from '../../../../contract/json.ts'
import { camel } from './wire.ts'

/** Deeper schemas exist only to make a converter recurse. */
const MAX_DEPTH = 64
/** Inlining `$ref` multiplies; a schema that grows beyond this many nodes stops being inlined. */
const MAX_NODES = 10_000

/** OpenAPI counts that proto3 JSON writes as strings. */
const counts = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']

/**
 * Google's Schema (a subset of OpenAPI 3.0 with upper-case types) as JSON Schema.
 * Members it does not know stay, so a JSON Schema that was sent in `parameters` comes out as it is.
 * @example toJsonSchema({type: 'STRING', nullable: true}) // {type: ['string', 'null']}
 */
export function toJsonSchema(schema: JsonObject, depth = 0): JsonObject {
  const converted: JsonObject = {}
  for (const [name, value] of Object.entries(camel(schema))) {
    switch (name) {
      case 'type':
        if (typeof value !== 'string') converted.type = value
        else if (value !== 'TYPE_UNSPECIFIED') converted.type = value.toLowerCase()
        break
      case 'nullable':
      case 'propertyOrdering':
        break
      case 'example':
        if (value !== undefined) converted.examples = [value]
        break
      case 'properties':
        converted.properties = eachValue(value, depth, toJsonSchema)
        break
      case 'items':
        converted.items = one(value, depth, toJsonSchema)
        break
      case 'anyOf':
        converted.anyOf = eachItem(value, depth, toJsonSchema)
        break
      default:
        converted[name] = counts.includes(name) && typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    }
  }
  return schema.nullable === true ? allowNull(converted) : converted
}

function allowNull(schema: JsonObject): JsonObject {
  const open: JsonObject = { ...schema }
  if (typeof open.type === 'string') open.type = [open.type, 'null']
  else if (Array.isArray(open.anyOf)) open.anyOf = [...open.anyOf, { type: 'null' }]
  if (Array.isArray(open.enum) && !open.enum.includes(null)) open.enum = [...open.enum, null]
  return open
}

/** What Schema has names for (Gemini API reference, Schema). */
const known = new Set([
  'type',
  'format',
  'title',
  'description',
  'nullable',
  'enum',
  'items',
  'properties',
  'required',
  'anyOf',
  'default',
  'minimum',
  'maximum',
  'pattern',
  'propertyOrdering',
  ...counts,
])

interface Walk {
  root: JsonObject
  nodes: number
  dropped: Set<string>
}

/**
 * JSON Schema as Google's Schema, for models that read nothing else. `$ref` is inlined, `const` becomes an enum, `oneOf` an `anyOf`.
 * @returns the schema and the keywords it has no name for
 */
export function toOpenApiSchema(schema: JsonObject): { schema: JsonObject; dropped: string[] } {
  const walk: Walk = { root: schema, nodes: 0, dropped: new Set() }
  const converted = openApi(schema, walk, 0)
  return { schema: converted, dropped: [...walk.dropped] }
}

function openApi(schema: JsonObject, walk: Walk, depth: number): JsonObject {
  walk.nodes++
  if (depth > MAX_DEPTH || walk.nodes > MAX_NODES) return {}
  const source = flatten(schema, walk, depth)
  const below = (value: JsonObject, next: number): JsonObject => openApi(value, walk, next)
  const converted: JsonObject = {}
  for (const [name, value] of Object.entries(source)) {
    switch (name) {
      case 'type':
        setType(converted, value)
        break
      case 'const':
        if (typeof value === 'string') converted.enum = [value]
        else walk.dropped.add(name)
        break
      case 'enum':
        setEnum(converted, value, walk)
        break
      case 'properties':
        converted.properties = eachValue(value, depth, below)
        break
      case 'items':
        converted.items = one(value, depth, below)
        break
      case 'anyOf':
      case 'oneOf':
        converted.anyOf = eachItem(value, depth, below)
        break
      case 'examples':
        if (Array.isArray(value) && value.length > 0) converted.example = value[0]
        break
      case '$schema':
      case '$id':
      case '$defs':
      case 'definitions':
        break
      default:
        if (known.has(name)) converted[name] = value
        // Google's models write no members that the schema does not name.
        else if (!(name === 'additionalProperties' && value === false)) walk.dropped.add(name)
    }
  }
  if (converted.type === undefined && converted.properties !== undefined) converted.type = 'OBJECT'
  return converted
}

/** Follows `$ref` into the same document and merges `allOf`. */
function flatten(schema: JsonObject, walk: Walk, depth: number): JsonObject {
  let source = schema
  for (let step = depth; typeof source.$ref === 'string'; step++) {
    const target = step > MAX_DEPTH ? undefined : find(walk.root, source.$ref)
    const { $ref: _, ...beside } = source
    if (!target) {
      walk.dropped.add('$ref')
      source = beside
      break
    }
    source = { ...target, ...beside }
  }
  if (!Array.isArray(source.allOf)) return source
  const { allOf, ...rest } = source
  let merged: JsonObject = rest
  for (const part of allOf) {
    // Parts may refer to where they stand: without a limit that doubles at each level.
    if (!isObject(part) || depth > MAX_DEPTH || ++walk.nodes > MAX_NODES) continue
    const flat = flatten(part, walk, depth + 1)
    merged = {
      ...flat,
      ...merged,
      ...(isObject(flat.properties) && isObject(merged.properties) && { properties: { ...flat.properties, ...merged.properties } }),
      ...(Array.isArray(flat.required) &&
        Array.isArray(merged.required) && { required: [...new Set([...flat.required, ...merged.required])] }),
    }
  }
  return merged
}

function find(root: JsonObject, ref: string): JsonObject | undefined {
  if (!ref.startsWith('#')) return undefined
  let at: Json | undefined = root
  for (const step of ref.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }
  return isObject(at) ? at : undefined
}

function setType(converted: JsonObject, value: Json | undefined): void {
  const types = (Array.isArray(value) ? value : [value]).filter((type) => typeof type === 'string')
  const real = types.filter((type) => type !== 'null').map((type) => type.toUpperCase())
  if (types.includes('null')) converted.nullable = true
  if (real.length === 1) converted.type = real[0]
  else if (real.length > 1) converted.anyOf = real.map((type) => ({ type }))
}

/** Schema knows enums of strings only. */
function setEnum(converted: JsonObject, value: Json | undefined, walk: Walk): void {
  const values = Array.isArray(value) ? value : []
  const strings = values.filter((item) => typeof item === 'string')
  if (values.includes(null)) converted.nullable = true
  if (strings.length > 0) converted.enum = strings
  if (values.some((item) => typeof item !== 'string' && item !== null)) walk.dropped.add('enum')
}

type Convert = (schema: JsonObject, depth: number) => JsonObject

function one(value: Json | undefined, depth: number, convert: Convert): Json | undefined {
  return isObject(value) && depth < MAX_DEPTH ? convert(value, depth + 1) : value
}

function eachItem(value: Json | undefined, depth: number, convert: Convert): Json | undefined {
  if (!Array.isArray(value)) return value
  return value.map((item) => one(item, depth, convert) ?? {})
}

function eachValue(value: Json | undefined, depth: number, convert: Convert): Json | undefined {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, one(item, depth, convert)]))
}
