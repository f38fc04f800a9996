import type { Compilable, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

/** A place in a prepared statement that a value of the call fills. */
class Slot {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Text and parameter order of a statement that was compiled once. */
export interface Statement<P> {
  readonly sql: string
  bind(values: P): unknown[]
}

/**
 * Compiles a query once for many runs: the hot path pays for binding only, not for building SQL.
 * @example prepare<{ id: number }>(db, (p) => db.selectFrom('users').selectAll().where('id', '=', p.id))
 */
export function prepare<P extends object>(db: Kysely<Schema>, build: (slots: P, db: Kysely<Schema>) => Compilable): Statement<P> {
  const slots = new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as P
  const { sql, parameters } = build(slots, db).compile()
  const order = parameters.map((parameter) =>
    parameter instanceof Slot ? (values: P) => values[parameter.name as keyof P] : () => parameter,
  )
  const count = order.length
  return {
    sql,
    // A plain loop: this runs for every statement of every call.
    bind(values) {
      const bound: unknown[] = []
      for (let index = 0; index < count; index += 1) bound.push(order[index]?.(values))
      return bound
    },
  }
}

/** The named slots as an object: the proxy of `prepare` makes one for any name. */
export function pick<P extends object, N extends keyof P & string>(slots: P, names: readonly N[]): Pick<P, N> {
  return Object.fromEntries(names.map((name) => [name, slots[name]])) as Pick<P, N>
}
