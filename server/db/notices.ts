import { sql } from 'kysely'
import type { Client } from 'pg'
import type { Database } from './open.ts'

const CHANNEL = 'tollgate_changes'
const CONNECT_TIMEOUT_MS = 5_000
/** A connection that is gone without a word is noticed by the next question. */
const BEAT_MS = 2_000
const RETRY_MS = 500

/** What a listener is told. */
export interface NoticeListener {
  message(text: string): void
  /** Listening has begun, for the first time or again: what was said before may have been missed. */
  begun(): void
  failed(error: unknown): void
}

/** PostgreSQL's LISTEN on a connection of its own that comes back by itself. */
export class Notices {
  readonly #url: string
  readonly #listener: NoticeListener
  #client: Client | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(url: string, listener: NoticeListener) {
    this.#url = url
    this.#listener = listener
  }

  /** Tries once; what fails is tried again behind the back of the caller. */
  async start(): Promise<void> {
    const { Client } = await import('pg')
    if (this.#closed) return
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    })
    this.#client = client
    // Without a listener an error of the connection would end the process.
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('the connection was closed')))
    client.on('notification', ({ payload }) => this.#listener.message(payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
      if (this.#client !== client) return
      this.#beat(client)
      this.#listener.begun()
    } catch (error) {
      this.#lost(client, error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    // It is given up either way; what ending it says is of no interest any more.
    await client?.end().catch(() => {})
  }

  #beat(client: Client): void {
    this.#timer = setTimeout(() => {
      client.query('select 1').then(
        () => this.#client === client && this.#beat(client),
        (error: unknown) => this.#lost(client, error),
      )
    }, BEAT_MS)
    this.#timer.unref()
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = undefined
    clearTimeout(this.#timer)
    this.#listener.failed(error)
    void client.end().catch(() => {})
    this.#timer = setTimeout(() => void this.start(), RETRY_MS)
    this.#timer.unref()
  }
}

/** Tells every process that listens on this database. @throws Error of the engine */
export async function notify(query: Database['query'], text: string): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${text})`.execute(query)
}
