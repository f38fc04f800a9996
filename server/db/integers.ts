import type { KyselyPlugin } from 'kysely'
import { moneyColumns } from './schema.ts'

/**
 * Both engines hand back 64-bit integers as `bigint`. Money stays one; everything else becomes a number, and an
 * integer that a number cannot hold is an error instead of a silent rounding.
 * @throws RangeError naming the column
 */
export function narrowRow<R extends Record<string, unknown>>(row: R): R {
  for (const key in row) {
    const value: unknown = row[key]
    if (typeof value !== 'bigint' || moneyColumns.has(key)) continue
    const narrowed = Number(value)
    if (!Number.isSafeInteger(narrowed)) throw new RangeError(`column ${key} holds ${value}, which is not a safe integer`)
    ;(row as Record<string, unknown>)[key] = narrowed
  }
  return row
}

/** Kysely plugin that applies `narrowRow` to every result. */
export const integerPlugin: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: async ({ result }) => {
    for (const row of result.rows) narrowRow(row)
    return result
  },
}
