/**
 * A form that an answer must have, written by hand from contract.md and not from the product's own schemas: a test of a value,
 * a list's form, an object's members, or the very value.
 */
export type Shape = Check | readonly [Shape] | { readonly [name: string]: Shape } | string | number | boolean | null

/** Says what is wrong with a value, or undefined. */
export type Check = (value: unknown) => string | undefined

/** Members that Tollgate adds to an object of the contract (docs/api.md): any of them may be there. */
const ADDED = '+'
const OPTIONAL = new WeakSet<Check>()

const check =
  (what: string, test: (value: unknown) => boolean): Check =>
  (value) =>
    test(value) ? undefined : `${JSON.stringify(value)} is not ${what}`

/** The forms of contract.md 1.2. */
export const int = check('a whole number', Number.isSafeInteger)
export const id = check('an id', (value) => Number.isSafeInteger(value) && Number(value) > 0)
export const flag = check('a boolean', (value) => typeof value === 'boolean')
export const text = check('a text', (value) => typeof value === 'string')
export const filled = check('a text with something in it', (value) => typeof value === 'string' && value !== '')
/** Plain notation, no exponent, no padding. */
export const decimal = check('a decimal text', (value) => typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/.test(value))
export const time = check(
  'a time',
  (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value),
)
export const anything = check('there', (value) => value !== undefined)

/** `null` or the form. */
export const nullable =
  (shape: Shape): Check =>
  (value) =>
    value === null ? undefined : faultsOf(value, shape)[0]

/** Absent or the form. */
export function optional(shape: Shape): Check {
  const absent: Check = (value) => (value === undefined ? undefined : faultsOf(value, shape)[0])
  OPTIONAL.add(absent)
  return absent
}

/** An object of exactly these members; `added` are the names of those that the contract does not have. */
export function object(members: Record<string, Shape>, added: string = ''): Record<string, Shape> {
  return added === '' ? members : { ...members, [ADDED]: added }
}

/** Members of one form each. */
export function each(names: string, shape: Shape): Record<string, Shape> {
  return Object.fromEntries(names.split(' ').map((name) => [name, shape]))
}

/** A list of exactly these, each of its own form. */
export const inOrder =
  (...shapes: Shape[]): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length !== shapes.length) return `${JSON.stringify(value)} is not a list of ${shapes.length}`
    return shapes.flatMap((shape, index) => faultsOf(value[index], shape, `[${index}]`))[0]
  }

/** Every way in which the value is not of the form, each with its place. */
export function faultsOf(value: unknown, shape: Shape, at = 'answer'): string[] {
  if (typeof shape === 'function') {
    const fault = shape(value)
    return fault === undefined ? [] : [`${at}: ${fault}`]
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${at}: ${JSON.stringify(value)} is not a list`]
    return value.flatMap((one, index) => faultsOf(one, (shape as [Shape])[0], `${at}[${index}]`))
  }
  if (typeof shape !== 'object' || shape === null) {
    return value === shape ? [] : [`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(shape)}`]
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: ${JSON.stringify(value)} is not an object`]
  const { [ADDED]: added, ...members } = shape as Record<string, Shape>
  const more = typeof added === 'string' ? added.split(' ') : []
  const own = value as Record<string, unknown>
  const faults = Object.entries(members).flatMap(([name, form]) => {
    if (!(name in own)) return typeof form === 'function' && OPTIONAL.has(form) ? [] : [`${at}.${name} is missing`]
    return faultsOf(own[name], form, `${at}.${name}`)
  })
  const unknown = Object.keys(own).filter((name) => !(name in members) && !more.includes(name))
  return [...faults, ...unknown.map((name) => `${at}.${name} is not in the contract`)]
}
