import { z } from 'zod'
import { randomToken } from '../lib/ids.ts'
import { describeError, type Log } from '../lib/log.ts'

/**
 * What changed: `routing` rebuilds the snapshot, `settings` reads them anew; the others drop what is kept of one key, user or
 * channel.
 * `everything`: news may have been missed, so that nothing kept in memory is to be believed.
 */
const change = z.discriminatedUnion('type', [
  z.object({ type: z.literal('everything') }),
  z.object({ type: z.literal('routing') }),
  z.object({ type: z.literal('settings') }),
  z.object({ type: z.literal('api_key'), keyHashes: z.array(z.string()) }),
  z.object({ type: z.literal('user'), userId: z.int() }),
  z.object({ type: z.literal('channel_health'), channelId: z.int() }),
])
export type Change = z.output<typeof change>

/** A way to the other processes. */
export interface Bus {
  /** Resolves once it is on its way; rejects when it is not. */
  publish(text: string): Promise<void>
}

/** A process of another version may tell what this one does not know: then everything is looked at. */
const envelope = z.object({ from: z.string(), id: z.int(), change: z.unknown() })

/** PostgreSQL carries 8,000 bytes a message; a hash has 67 with its quotes. */
const MAX_HASHES = 100
/** Ids of messages that came by one way and may come by the other as well. */
const MAX_SEEN = 1_000
/** A copy that could not be read anew is tried again after this. */
const AGAIN_MS = 1_000
/** An answer does not wait longer for the news to be on their way. */
const SEND_MS = 500

type Listener = (change: Change) => void | Promise<void>

/**
 * Tells who keeps a copy in memory. Listeners of this process finish before `publish` resolves: a change is in force when its
 * answer leaves. Other processes are told by every way there is; each message counts once.
 */
export class Changes {
  readonly #listeners: Listener[] = []
  readonly #buses: Bus[] = []
  readonly #log: Log | undefined
  readonly #self = randomToken(12)
  readonly #seen = new Set<string>()
  #sent = 0
  #again: ReturnType<typeof setTimeout> | undefined

  constructor(log?: Log) {
    this.#log = log
  }

  /** Listeners are told one after the other, in this order. */
  listen(listener: Listener): void {
    this.#listeners.push(listener)
  }

  join(bus: Bus): void {
    this.#buses.push(bus)
  }

  async publish(news: Change): Promise<void> {
    await this.#tell(news)
    if (this.#buses.length > 0) await Promise.all(partsOf(news).map((part) => this.#send(part)))
  }

  /** What came from a process, this one included. */
  received(text: string): void {
    const message = envelope.safeParse(parsed(text))
    if (!message.success) return this.missed()
    const { from, id } = message.data
    if (from === this.#self || !this.#isNew(`${from}:${id}`)) return
    const known = change.safeParse(message.data.change)
    this.#follow(known.success ? known.data : { type: 'everything' })
  }

  /** Something may have been said that this process did not hear. */
  missed(): void {
    this.#follow({ type: 'everything' })
  }

  close(): void {
    clearTimeout(this.#again)
  }

  async #tell(news: Change): Promise<void> {
    for (const listener of this.#listeners) await listener(news)
  }

  /** As `tell`, for news that nobody here waits for: a copy that cannot be read anew is not believed until it was. */
  #follow(news: Change): void {
    this.#tell(news).catch((error: unknown) => {
      this.#log?.error('a change told by another process could not be followed; tried again', { cause: describeError(error) })
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.missed(), AGAIN_MS)
      this.#again.unref()
    })
  }

  /** By every way at once; done when the first has taken it. */
  async #send(news: Change): Promise<void> {
    this.#sent += 1
    const text = JSON.stringify({ from: this.#self, id: this.#sent, change: news })
    const ways = this.#buses.map((bus) =>
      bus.publish(text).catch((error: unknown) => {
        this.#log?.warn('other processes could not be told of a change by one way', { type: news.type, cause: describeError(error) })
        throw error
      }),
    )
    const taken = Promise.any(ways).catch(() =>
      this.#log?.error('other processes could not be told of a change; each finds out when its connection is back', { type: news.type }),
    )
    let timer: ReturnType<typeof setTimeout> | undefined
    await Promise.race([taken, new Promise((resolve) => (timer = setTimeout(resolve, SEND_MS)))])
    clearTimeout(timer)
  }

  #isNew(id: string): boolean {
    if (this.#seen.has(id)) return false
    this.#seen.add(id)
    if (this.#seen.size > MAX_SEEN) for (const oldest of this.#seen.values().take(1)) this.#seen.delete(oldest)
    return true
  }
}

/** A change in messages that every way can carry. */
function partsOf(news: Change): Change[] {
  if (news.type !== 'api_key') return [news]
  const parts: Change[] = []
  for (let start = 0; start < news.keyHashes.length; start += MAX_HASHES)
    parts.push({ type: 'api_key', keyHashes: news.keyHashes.slice(start, start + MAX_HASHES) })
  return parts
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
