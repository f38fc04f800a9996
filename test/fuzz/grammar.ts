import { z } from 'zod'
import { hostile, TEXTS } from './hostile.ts'
import type { Random } from './random.ts'

type Schema = Record<string, unknown>

/** What a zod schema takes, as JSON Schema; what JSON Schema cannot say is anything. */
export function grammarOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}

/** How often a part of a value is replaced by one that does not belong there. */
const HOSTILE = 0.06

/** A value by a grammar, with something wrong here and there. */
export function generate(schema: Schema, random: Random, root = schema, depth = 0): unknown {
  if (random.chance(HOSTILE)) return hostile(random)
  if (typeof schema['$ref'] === 'string') {
    const target =
      schema['$ref'] === '#' ? root : (root['$defs'] as Record<string, Schema> | undefined)?.[schema['$ref'].replace('#/$defs/', '')]
    return target && depth < 8 ? generate(target, random, root, depth + 1) : null
  }
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return random.pick(schema['enum'] as unknown[])
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined
  if (choices) return generate(random.pick(choices), random, root, depth + 1)
  if (Array.isArray(schema['allOf'])) {
    const parts = (schema['allOf'] as Schema[]).map((part) => generate(part, random, root, depth + 1))
    return parts.every((part) => typeof part === 'object' && part !== null) ? Object.assign({}, ...parts) : parts[0]
  }
  const type = Array.isArray(schema['type']) ? random.pick(schema['type'] as string[]) : schema['type']
  if (type === 'object') return objectOf(schema, random, root, depth)
  if (type === 'array')
    return Array.from({ length: random.below(4) }, () => generate((schema['items'] as Schema | undefined) ?? {}, random, root, depth + 1))
  if (type === 'string') return textOf(schema, random)
  if (type === 'integer' || type === 'number') return numberOf(schema, random)
  if (type === 'boolean') return random.chance(0.5)
  return type === 'null' ? null : hostile(random)
}

function objectOf(schema: Schema, random: Random, root: Schema, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  const required = (schema['required'] ?? []) as string[]
  for (const [name, member] of Object.entries((schema['properties'] ?? {}) as Record<string, Schema>))
    if (random.chance(required.includes(name) ? 0.97 : 0.5)) value[name] = generate(member, random, root, depth + 1)
  const more = schema['additionalProperties']
  if (typeof more === 'object' && more !== null)
    for (let count = random.below(4); count > 0; count -= 1) value[textOf({}, random)] = generate(more as Schema, random, root, depth + 1)
  if (random.chance(0.1)) value[random.pick(TEXTS)] = hostile(random)
  return value
}

/** Ids and names that exist in the fuzzed application stand among them, so that more than the first check is reached. */
const WORDS = [
  'm',
  'default',
  'owner',
  '1',
  '2',
  '0.5',
  '2.5',
  '10',
  'openai',
  'user',
  'openai/gpt',
  '127.0.0.1',
  'https://example.test/v1',
  'a@example.test',
  '2026-11-22T12:00:00Z',
  '2026-11',
]

function textOf(schema: Schema, random: Random): string {
  if (random.chance(0.25)) return random.pick(TEXTS)
  const min = typeof schema['minLength'] === 'number' ? schema['minLength'] : 0
  return random.pick(WORDS).padEnd(min, 'x')
}

function numberOf(schema: Schema, random: Random): number {
  const low = typeof schema['minimum'] === 'number' ? schema['minimum'] : 0
  const high = typeof schema['maximum'] === 'number' ? schema['maximum'] : low + 1_000
  return random.pick([low, high, low + 1, 1, 2, low + random.below(10), low - 1, high + 1])
}
