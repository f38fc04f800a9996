import { expect } from 'bun:test'
import { format } from './format.ts'
import { analyse } from './language.ts'

/** The same numbers on every machine (mulberry32). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const MODELS = ['a', 'b', 'c']
const names = {
  self: 'me',
  isModel: (name: string) => MODELS.includes(name),
  isMetaModel: (name: string) => name === 'meta',
  models: () => MODELS,
}
const PIECES = [
  'option', 'max_calls', 'call', 'route', 'when', 'otherwise', 'switch', 'weight', 'parallel', 'synthesize', 'judge', 'prompt', 'fallback',
  '"a"', '"b"', '"nope"', '"', '\\', '{', '}', '(', ')', '=>', '==', '=', '<', '>=', '!', 'and', 'or', 'not', 'contains', 'matches', 'true',
  'user.id', 'user.group', 'request.text', 'judge.output', '1', '0.5', '9e9', ';', ',', '# c\n', '\n', ' ', '😀', '\u0000', '"(a*)*"', 'time.hour',
] // prettier-ignore

/** A program that can be read, of a random shape. */
function program(random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const gap = (): string => pick([' ', '\n', '  ', ' # note\n', '\n\n# more\n\n\n', '\t'])
  const end = (): string => pick([' ', ';', ' , ', '\n', '; # x\n'])
  const call = (): string => `call${gap()}"${pick(MODELS)}"`
  const list = (least: number, make: () => string): string => Array.from({ length: least + Math.floor(random() * 3) }, make).join(end())
  const condition = (depth: number): string => {
    const kind = random()
    if (depth > 0 && kind < 0.15) return `(${condition(depth - 1)})`
    if (depth > 0 && kind < 0.3) return `not${gap()}${condition(depth - 1)}`
    if (depth > 0 && kind < 0.5) return `${condition(depth - 1)} ${pick(['and', 'or'])}${gap()}${condition(depth - 1)}`
    return pick(['user.id > 3', 'user.group=="x\\n\\"y\\""', 'request.stream == true', 'request.text matches "^a+b"', 'time.hour<6.5'])
  }
  const route = (depth: number): string =>
    `route{${list(0, () => `when ${condition(3)}${gap()}=>${gap()}${action(depth - 1)}`)}${end()}otherwise=>${action(depth - 1)}${gap()}}`
  const action = (depth: number): string => {
    const kind = depth <= 0 ? 0 : random()
    if (kind < 0.35) return call()
    if (kind < 0.6) return route(depth)
    if (kind < 0.7)
      return `switch {${list(1, () => `${pick(['weight', 'chance', 'probability'])} ${pick(['1', '0.25', '3'])} => ${action(depth - 1)}`)}${end()}}`
    if (kind < 0.8) return `parallel{${list(1, call)}}${pick(['', ' synthesize "c"'])}`
    if (kind < 0.9) return `fallback {${list(1, call)}${end()}}`
    return `judge "a"{${pick(['', 'prompt "p";'])}${route(depth)}}`
  }
  return `${pick(['', '# top\n'])}option max_calls=16${end()}${action(4)}${pick(['', ';', ' # last'])}`
}

/** A program torn apart: pieces thrown in, cut out, or nothing but noise. */
function torn(random: () => number): string {
  const noise = (count: number): string =>
    Array.from({ length: count }, () => PIECES[Math.floor(random() * PIECES.length)]).join(random() < 0.5 ? ' ' : '')
  if (random() < 0.4) return noise(Math.floor(random() * 40))
  let text = program(random)
  for (let cuts = 1 + Math.floor(random() * 3); cuts > 0; cuts -= 1) {
    const at = Math.floor(random() * text.length)
    text = text.slice(0, at) + (random() < 0.5 ? noise(2) : '') + text.slice(at + Math.floor(random() * 6))
  }
  return text
}

/** Longest one program may take: a hang would be seconds. */
const MAX_MS = 500

/** Half of `count` programs are sound, half are torn: none throws or hangs; the sound ones mean the same after formatting, which is stable. */
export function fuzz(count: number, seed: number): { sound: number } {
  const random = chance(seed)
  let sound = 0
  for (let index = 0; index < count; index += 1) {
    const source = index % 2 === 0 ? program(random) : torn(random)
    const started = performance.now()
    const found = analyse(source, names)
    const isSlow = performance.now() - started > MAX_MS
    if (isSlow) throw new Error(`slow: ${source}`)
    if (index % 2 === 0 && !found.ok) throw new Error(`refused: ${source}\n${JSON.stringify(found.diagnostics)}`)
    for (const { line, column, length } of found.diagnostics)
      if (line < 1 || column < 1 || length < 0) throw new Error(`no place: ${source}`)
    if (!found.ok) continue
    sound += 1
    const formatted = format(source)
    const again = analyse(formatted, names)
    if (!again.ok || JSON.stringify(again.plan) !== JSON.stringify(found.plan)) throw new Error(`changed by formatting: ${source}`)
    if (format(formatted) !== formatted) throw new Error(`formatting is not stable: ${source}`)
    found.compiled.decide(
      () => 'aaab',
      () => 0.5,
    )
  }
  expect(sound).toBeGreaterThanOrEqual(count / 2)
  return { sound }
}
