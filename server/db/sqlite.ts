import { Database as SqliteFile, type SQLQueryBindings, type Statement } from 'bun:sqlite'
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type DatabaseConnection, type Dialect, type Driver, type QueryResult } from 'kysely'
import { Mutex } from './mutex.ts'

/** Page cache of 64 MiB (negative: KiB): the hot tables' inner pages stay in memory. */
const CACHE_KIB = -65_536
/** The write-ahead log is folded back after this many pages (4 MiB): bounded file, few checkpoints. */
const CHECKPOINT_PAGES = 1_000

/**
 * Opens the file with the settings every promise about money rests on: WAL, an fsync at each commit, foreign keys,
 * and integers that come back exact.
 */
export function openSqliteFile(path: string, options: { readonly?: boolean } = {}): SqliteFile {
  if (options.readonly) return new SqliteFile(path, { readonly: true, safeIntegers: true })
  const file = new SqliteFile(path, { create: true, readwrite: true, safeIntegers: true })
  file.run('pragma journal_mode = WAL')
  file.run('pragma synchronous = FULL')
  file.run('pragma foreign_keys = ON')
  file.run(`pragma cache_size = ${CACHE_KIB}`)
  file.run('pragma temp_store = MEMORY')
  file.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  return file
}

/** Runs one prepared statement on the file; what the group-commit writer and Kysely's connection both use. */
export function runSqlite(file: SqliteFile, sql: string, parameters: readonly unknown[]): QueryResult<Record<string, unknown>> {
  const statement: Statement = file.query(sql)
  const bound = parameters as SQLQueryBindings[]
  if (statement.columnNames.length > 0) return { rows: statement.all(...bound) as Record<string, unknown>[] }
  const { changes, lastInsertRowid } = statement.run(...bound)
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
}

/** One connection, handed out one at a time: a transaction of ours never mixes with another's. */
class SqliteDriver implements Driver {
  readonly #file: SqliteFile
  readonly #mutex: Mutex
  readonly #begin: string

  constructor(file: SqliteFile, mutex: Mutex, begin: string) {
    this.#file = file
    this.#mutex = mutex
    this.#begin = begin
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex.lock()
    return {
      executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => runSqlite(this.#file, query.sql, query.parameters) as QueryResult<R>,
      // eslint-disable-next-line require-yield -- the interface wants a generator; rows are never streamed here
      streamQuery: async function* () {
        throw new Error('streaming a query is not supported on SQLite')
      },
    }
  }

  async beginTransaction(): Promise<void> {
    this.#file.run(this.#begin)
  }

  async commitTransaction(): Promise<void> {
    this.#file.run('commit')
  }

  async rollbackTransaction(): Promise<void> {
    this.#file.run('rollback')
  }

  async releaseConnection(): Promise<void> {
    this.#mutex.unlock()
  }

  async destroy(): Promise<void> {
    this.#file.close()
  }
}

/** Kysely's SQLite dialect on the runtime's own SQLite. A writer takes the write lock at once: no upgrade that could fail later. */
export function sqliteDialect(file: SqliteFile, mutex: Mutex, begin: 'begin immediate' | 'begin' = 'begin immediate'): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(file, mutex, begin),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}
