import { chmodSync } from 'node:fs'
import { Database as SqliteFile, type SQLQueryBindings, type Statement } from 'bun:sqlite'
import type { CompiledQuery } from 'kysely'
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import type { Mutex } from './mutex.ts'
import type { Row } from './writer.ts'

/** Read and write for the owner of the process. */
const OWNER_ONLY = 0o600
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
  // Password hashes and sealed keys are in it: nobody else on the machine reads it. The log beside it takes the same mode.
  chmodSync(path, OWNER_ONLY)
  file.run('pragma journal_mode = WAL')
  file.run('pragma synchronous = FULL')
  file.run('pragma foreign_keys = ON')
  file.run(`pragma cache_size = ${CACHE_KIB}`)
  file.run('pragma temp_store = MEMORY')
  file.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  return file
}

/** Statements kept prepared; the code has a few hundred texts, lists of ids make a few more. */
const MAX_STATEMENTS = 1_000

/** The open file with its prepared statements; what the group-commit writer and Kysely's connection both use. */
export class SqliteConnection {
  readonly file: SqliteFile
  readonly #statements = new Map<string, { statement: Statement; reads: boolean }>()

  constructor(file: SqliteFile) {
    this.file = file
  }

  /** Runs one statement; rows of those that return any, else how many rows it changed. */
  query(sql: string, parameters: readonly unknown[]): { rows: Row[]; changes: number } {
    const { statement, reads } = this.#prepared(sql)
    const bound = parameters as SQLQueryBindings[]
    if (!reads) return { rows: [], changes: statement.run(...bound).changes }
    const rows = statement.all(...bound) as Row[]
    return { rows, changes: rows.length }
  }

  /** Runs a statement that returns nothing. */
  run(sql: string, parameters: readonly unknown[]): number {
    return this.#prepared(sql).statement.run(...(parameters as SQLQueryBindings[])).changes
  }

  /** The first row; SQLite has made all changes of the statement before it returns one. */
  first(sql: string, parameters: readonly unknown[]): Row | undefined {
    return (this.#prepared(sql).statement.get(...(parameters as SQLQueryBindings[])) as Row | null) ?? undefined
  }

  #prepared(sql: string): { statement: Statement; reads: boolean } {
    let prepared = this.#statements.get(sql)
    if (!prepared) {
      const statement = this.file.prepare(sql)
      prepared = { statement, reads: statement.columnNames.length > 0 }
      this.#keep(sql, prepared)
    }
    return prepared
  }

  close(): void {
    for (const { statement } of this.#statements.values()) statement.finalize()
    this.file.close()
  }

  #keep(sql: string, prepared: { statement: Statement; reads: boolean }): void {
    const oldest = this.#statements.size < MAX_STATEMENTS ? undefined : this.#statements.entries().next().value
    if (oldest) {
      this.#statements.delete(oldest[0])
      oldest[1].statement.finalize()
    }
    this.#statements.set(sql, prepared)
  }
}

/** One connection, handed out one at a time: a transaction of ours never mixes with another's. */
class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  readonly #mutex: Mutex
  readonly #begin: string

  constructor(connection: SqliteConnection, mutex: Mutex, begin: string) {
    this.#connection = connection
    this.#mutex = mutex
    this.#begin = begin
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex.lock()
    return {
      executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
        const { rows, changes } = this.#connection.query(query.sql, query.parameters)
        return { rows: rows as R[], numAffectedRows: BigInt(changes) }
      },
      // eslint-disable-next-line require-yield -- the interface wants a generator; rows are never streamed here
      streamQuery: async function* () {
        throw new Error('streaming a query is not supported on SQLite')
      },
    }
  }

  async beginTransaction(): Promise<void> {
    this.#connection.file.run(this.#begin)
  }

  async commitTransaction(): Promise<void> {
    this.#connection.file.run('commit')
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.file.run('rollback')
  }

  async releaseConnection(): Promise<void> {
    this.#mutex.unlock()
  }

  async destroy(): Promise<void> {
    this.#connection.close()
  }
}

/** SQLite's DDL is part of the transaction (sqlite.org/lang_transaction.html): a migration that is killed leaves nothing behind. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Kysely's SQLite dialect on the runtime's own SQLite. A writer takes the write lock at once: no upgrade that could fail later. */
export function sqliteDialect(connection: SqliteConnection, mutex: Mutex, begin: 'begin immediate' | 'begin' = 'begin immediate'): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new SqliteDriver(connection, mutex, begin),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}
