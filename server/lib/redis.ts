import { RedisClient } from 'bun'
import { hash } from 'node:crypto'
import { randomToken } from './ids.ts'
import { describeError, type Log } from './log.ts'

/** Redis is not reachable now: whoever asked goes on without it. */
export class RedisDown extends Error {
  override readonly name = 'RedisDown'
}

/** Connecting on one network takes milliseconds; a frozen server accepts and then says nothing. */
const CONNECT_TIMEOUT_MS = 1_000
/** Pauses between attempts to connect: the first is short, for a restart; then twice as long each time. */
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** After its time is up a reply that lies unread, because this process was busy, is still taken. */
const UNREAD_MS = 5
/** A subscription cannot be asked whether it lives, so a message of our own goes through it; three may be late. */
const BEAT_MS = 500
const SILENCE_MS = 1_500

/**
 * A script that Redis runs as one step. Made while a module is read: each new connection tells the server all of them, because
 * a command whose script has to be sent after it would come to its turn behind those that were sent later.
 */
export class RedisScript {
  static readonly all: RedisScript[] = []
  readonly source: string
  readonly digest: string

  constructor(source: string) {
    this.source = source
    this.digest = hash('sha1', source, 'hex')
    RedisScript.all.push(this)
  }
}

export interface Subscriber {
  message(text: string): void
  /** The subscription is in force, for the first time or again: what was said before it may have been missed. */
  begun(): void
}

/**
 * One connection for commands that comes back by itself, and one for each subscription. While Redis does not answer, every
 * command fails at once: nobody waits for what is down. Only this file knows whose client it is.
 */
export class Redis {
  /** Before every name of ours: several installations may share one Redis. */
  readonly prefix: string
  readonly #url: string
  readonly #log: Log
  #client: RedisClient | undefined
  #closed = false
  #retryMs = FIRST_RETRY_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #subscriptions: Subscription[] = []

  constructor(url: string, prefix: string, log: Log) {
    this.#url = url
    this.prefix = prefix
    this.#log = log
  }

  /** Tries to connect once; what fails is tried again behind the back of the caller. */
  async start(): Promise<void> {
    if (this.#closed) return
    const client = newClient(this.#url)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the client has no other way
    client.onclose = (error) => this.#lost(client, error)
    try {
      await within(connected(client), CONNECT_TIMEOUT_MS)
      for (const { source } of RedisScript.all) await within(client.send('SCRIPT', ['LOAD', source]), CONNECT_TIMEOUT_MS)
      if (this.#closed) return client.close()
      this.#client = client
      this.#retryMs = FIRST_RETRY_MS
      this.#log.info('Redis is connected')
    } catch (error) {
      client.close()
      this.#log.warn('Redis cannot be reached; going on without it', { cause: describeError(error) })
      this.#later()
    }
  }

  /** False: a command would fail at once. */
  get up(): boolean {
    return this.#client !== undefined
  }

  /** @throws RedisDown when there is no connection or no answer in time; Error when Redis refuses the command */
  async send(command: string, args: string[], timeoutMs: number): Promise<unknown> {
    const client = this.#client
    if (!client) throw new RedisDown('not connected')
    try {
      return await within(client.send(command, args), timeoutMs)
    } catch (error) {
      if (isRefusal(error)) throw error
      this.#lost(client, error)
      throw error instanceof RedisDown ? error : new RedisDown('the connection broke', { cause: error })
    }
  }

  /** Runs a script; its text is sent again only when the server forgot it (SCRIPT FLUSH). @throws as `send` */
  async run(script: RedisScript, keys: readonly string[], args: readonly string[], timeoutMs: number): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.send('EVALSHA', [script.digest, ...rest], timeoutMs)
    } catch (error) {
      if (!isRefusal(error) || !(error as Error).message.startsWith('NOSCRIPT')) throw error
      return this.send('EVAL', [script.source, ...rest], timeoutMs)
    }
  }

  /** @param subject without the prefix */
  subscribe(subject: string, subscriber: Subscriber): void {
    const subscription = new Subscription(this.#url, this.prefix + subject, subscriber, this.#log, (to) => {
      if (this.#client) this.send('PUBLISH', [to, ''], CONNECT_TIMEOUT_MS).catch(() => {}) // the silence that follows says it
    })
    this.#subscriptions.push(subscription)
    subscription.start()
  }

  /** Tells all who listen. @throws as `send` */
  async publish(subject: string, text: string): Promise<void> {
    await this.send('PUBLISH', [this.prefix + subject, text], CONNECT_TIMEOUT_MS)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const subscription of this.#subscriptions) subscription.close()
    const client = this.#client
    this.#client = undefined
    client?.close()
  }

  #lost(client: RedisClient, cause: unknown): void {
    if (this.#client !== client) return
    this.#client = undefined
    client.close()
    this.#log.warn('Redis was lost; going on without it', { cause: describeError(cause) })
    this.#later()
  }

  #later(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.start(), this.#retryMs)
    this.#timer.unref()
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }
}

/** One subject listened to on a connection of its own, for as long as it is not closed. */
class Subscription {
  readonly #open: { url: string; subject: string; beatSubject: string }
  readonly #subscriber: Subscriber
  readonly #log: Log
  readonly #beat: (subject: string) => void
  #client: RedisClient | undefined
  #heardAt = 0
  #connecting = false
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(url: string, subject: string, subscriber: Subscriber, log: Log, beat: (subject: string) => void) {
    this.#open = { url, subject, beatSubject: `${subject}:beat:${randomToken(9)}` }
    this.#subscriber = subscriber
    this.#log = log
    this.#beat = beat
  }

  start(): void {
    void this.#connect()
    this.#timer = setInterval(() => this.#look(), BEAT_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
    const client = this.#client
    this.#client = undefined
    client?.close()
  }

  #look(): void {
    if (this.#client === undefined) {
      void this.#connect()
    } else if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#log.warn('the subscription at Redis is silent; it is made anew')
      this.#drop(this.#client)
    } else {
      this.#beat(this.#open.beatSubject)
    }
  }

  async #connect(): Promise<void> {
    if (this.#connecting) return
    this.#connecting = true
    const { url, subject, beatSubject } = this.#open
    const client = newClient(url)
    const heard = (): void => {
      this.#heardAt = performance.now()
    }
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the client has no other way
    client.onclose = () => this.#drop(client)
    try {
      await within(connected(client), CONNECT_TIMEOUT_MS)
      await within(client.subscribe(beatSubject, heard), CONNECT_TIMEOUT_MS)
      const listening = client.subscribe(subject, (text) => {
        heard()
        this.#subscriber.message(text)
      })
      await within(listening, CONNECT_TIMEOUT_MS)
      heard()
      this.#client = client
      this.#subscriber.begun()
    } catch (error) {
      client.close()
      this.#log.warn('Redis cannot be subscribed to; tried again', { cause: describeError(error) })
    } finally {
      this.#connecting = false
    }
  }

  #drop(client: RedisClient): void {
    if (this.#client !== client) return
    this.#client = undefined
    client.close()
  }
}

/** Its own reconnecting is off: it stops after some tries, and a queue would make callers wait for what is down. */
function newClient(url: string): RedisClient {
  return new RedisClient(url, { connectionTimeout: CONNECT_TIMEOUT_MS, autoReconnect: false, enableOfflineQueue: false })
}

async function connected(client: RedisClient): Promise<void> {
  await client.connect()
  await client.send('PING', [])
}

/** Redis answered, and the answer is an error of the command. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_REDIS_SERVER_ERROR'
}

/** @throws RedisDown when it takes longer */
function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new RedisDown(`no answer within ${timeoutMs} ms`))
    let timer = setTimeout(() => {
      timer = setTimeout(late, UNREAD_MS)
    }, timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
