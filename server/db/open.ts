import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely, type Dialect } from 'kysely'
import { POOL_SIZE } from '../lib/pool-size.ts'
import type { Engine } from './columns.ts'
import { integerPlugin, narrowRow } from './integers.ts'
import { lockFile } from './lock.ts'
import { migrate } from './migrate.ts'
import { Mutex } from './mutex.ts'
import type { Schema } from './schema.ts'
import { openSqliteFile, SqliteConnection, sqliteDialect } from './sqlite.ts'
import type { QueryResult } from 'pg'
import type { Statement } from './statement.ts'
import { Writer, type BatchTransaction, type Row, type RunBatch } from './writer.ts'

/** The open database: queries and ordinary transactions through `query`, money through `writer`. */
export interface Database {
  readonly engine: Engine
  readonly query: Kysely<Schema>
  readonly writer: Writer
  /** Waits for the writer, then closes files and connections. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** SQLite file, used when `url` is absent. */
  path: string
  /** postgres:// URL. */
  url?: string | undefined
  /** Connections to PostgreSQL at most, beside the one that listens; POOL_SIZE where absent. */
  poolSize?: number | undefined
  /** An earlier release's schema, by the name of its last migration: what upgrades are tested from. */
  schema?: string | undefined
  onError(error: Error): void
}

/**
 * Opens the database, takes the lock of a SQLite file and brings the schema up to date.
 * @throws Error when another process holds the file or a migration fails
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database =
    options.url === undefined ? openSqlite(options.path) : await openPostgres(options.url, options.poolSize ?? POOL_SIZE, options.onError)
  await migrate(database.query, database.engine, options.schema)
  return database
}

/**
 * One consistent view of the database for reading, also beside a running server: no lock is taken, nothing is migrated.
 * @throws Error when there is no such database
 */
export async function readDatabase<T>(options: DatabaseOptions, read: (query: Kysely<Schema>) => Promise<T>): Promise<T> {
  const dialect =
    options.url === undefined
      ? sqliteDialect(new SqliteConnection(openSqliteFile(options.path, { readonly: true })), new Mutex(), 'begin')
      : await onePostgresConnection(options.url, options.onError)
  const query = new Kysely<Schema>({ dialect, plugins: [integerPlugin] })
  try {
    const transaction = query.transaction()
    return await (options.url === undefined ? transaction : transaction.setIsolationLevel('repeatable read')).execute(read)
  } finally {
    await query.destroy()
  }
}

function openSqlite(path: string): Database {
  mkdirSync(dirname(path), { recursive: true })
  const release = lockFile(path)
  const connection = new SqliteConnection(openSqliteFile(path))
  const { file } = connection
  const mutex = new Mutex()
  const transaction: BatchTransaction = {
    run: (statement, values) => connection.run(statement.sql, statement.bind(values)),
    all: (statement, values) => connection.query(statement.sql, statement.bind(values)).rows.map(narrowRow),
    first: (statement, values) => {
      const row = connection.first(statement.sql, statement.bind(values))
      return row && narrowRow(row)
    },
  }
  const runBatch: RunBatch = async (work, durable) => {
    if (!mutex.tryLock()) await mutex.lock()
    try {
      // Without FULL the commit is written but not yet on the disk; the next FULL one takes it along.
      if (!durable) connection.run('pragma synchronous = NORMAL', [])
      connection.run('begin immediate', [])
      try {
        await work(transaction)
        connection.run('commit', [])
      } catch (error) {
        if (file.inTransaction) file.run('rollback')
        throw error
      }
    } finally {
      if (!durable) connection.run('pragma synchronous = FULL', [])
      mutex.unlock()
    }
  }
  const query = new Kysely<Schema>({ dialect: sqliteDialect(connection, mutex), plugins: [integerPlugin] })
  return database('sqlite', query, new Writer(runBatch), release)
}

// PostgreSQL's driver is loaded where it is used (docs/decisions/0008): an installation on SQLite does without.
async function onePostgresConnection(url: string, onError: (error: Error) => void): Promise<Dialect> {
  const { openPool, postgresDialect } = await import('./postgres.ts')
  return postgresDialect(openPool(url, 1, onError))
}

async function openPostgres(url: string, poolSize: number, onError: (error: Error) => void): Promise<Database> {
  const { openPool, postgresDialect } = await import('./postgres.ts')
  const pool = openPool(url, poolSize - 1, onError)
  // The writer has a connection of its own: money never waits behind those who read.
  const writerPool = openPool(url, 1, onError)
  const runBatch: RunBatch = async (work) => {
    const client = await writerPool.connect()
    let broken: Error | undefined
    // A named statement is parsed and planned once per connection.
    const send = <P extends object>({ sql, bind }: Statement<P>, values: P): Promise<QueryResult<Row>> =>
      client.query<Row>({ name: nameOf(sql), text: sql, values: bind(values) })
    try {
      await client.query('begin')
      await work({
        run: async (statement, values) => (await send(statement, values)).rowCount ?? 0,
        all: async (statement, values) => (await send(statement, values)).rows.map(narrowRow),
        first: async (statement, values) => {
          const row = (await send(statement, values)).rows[0]
          return row && narrowRow(row)
        },
      })
      await client.query('commit')
    } catch (error) {
      // A connection that cannot even roll back is thrown away.
      await client.query('rollback').catch((cause: Error) => {
        broken = cause
      })
      throw error
    } finally {
      client.release(broken)
    }
  }
  return database('postgres', new Kysely<Schema>({ dialect: postgresDialect(pool), plugins: [integerPlugin] }), new Writer(runBatch), () =>
    writerPool.end(),
  )
}

const statementNames = new Map<string, string>()

/** A short stable name for a statement text; the set of texts is fixed by the code. */
function nameOf(sql: string): string {
  let name = statementNames.get(sql)
  if (name === undefined) {
    name = `s${statementNames.size}`
    statementNames.set(sql, name)
  }
  return name
}

function database(engine: Engine, query: Kysely<Schema>, writer: Writer, release: () => void | Promise<void>): Database {
  return {
    engine,
    query,
    writer,
    async close() {
      await writer.idle()
      await query.destroy()
      await release()
    },
  }
}
