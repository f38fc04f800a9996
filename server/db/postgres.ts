import { PostgresDialect, type Dialect } from 'kysely'
import { Pool, types, type PoolClient } from 'pg'

/** int8, and numeric as sums of int8 come back: exact integers, never floats. */
const INT8 = 20
const NUMERIC = 1700
/** A statement of ours never needs longer; a longer one is a fault and must not hold a connection (promises.md S13). */
const STATEMENT_TIMEOUT_MS = 30_000
/** How long a caller waits for a connection before it is told 503. */
const CONNECT_TIMEOUT_MS = 5_000

/** Reads what PostgreSQL sends for an integer-valued numeric; a fraction is refused, money is never one. */
function exactInteger(text: string): bigint {
  return BigInt(text)
}

/**
 * A pool whose clients survive a lost server: without an `error` listener on the pool and on each checked-out client
 * the process would die with the connection (promises.md rule 8).
 * @param size connections at most
 */
export function openPool(url: string, size: number, onError: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8 || oid === NUMERIC ? exactInteger : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  })
  pool.on('error', onError)
  pool.on('connect', (client: PoolClient) => client.on('error', onError))
  return pool
}

/** Kysely's PostgreSQL dialect on that pool. */
export function postgresDialect(pool: Pool): Dialect {
  return new PostgresDialect({ pool })
}
