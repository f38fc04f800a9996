import type { Statement } from './statement.ts'

export type Row = Record<string, unknown>

/** Runs compiled statements inside the writer's open transaction. */
export interface BatchTransaction {
  /** A statement that returns nothing; how many rows it changed. */
  run<P extends object>(statement: Statement<P>, values: P): number | Promise<number>
  /** The first row of a statement that returns rows. */
  first<P extends object>(statement: Statement<P>, values: P): Row | undefined | Promise<Row | undefined>
}

/** One unit of work: conditional statements that leave nothing behind when they refuse. */
export type Operation<T> = (transaction: BatchTransaction) => T | Promise<T>

/**
 * How the writer reaches its engine: everything in `work` commits together or not at all. `durable` batches are on the
 * disk when it resolves; others are committed, survive the process, and reach the disk with the next durable one.
 */
export type RunBatch = (work: (transaction: BatchTransaction) => Promise<void>, durable: boolean) => Promise<void>

/**
 * Operations of one transaction at most: bounds the time a batch holds the write lock; at ~10 us each a full batch is
 * a few milliseconds.
 */
const MAX_BATCH = 512

interface Queued {
  operation: Operation<unknown>
  durable: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * Group commit (architecture.md section 3): operations queue, the next transaction takes everything that waits, each
 * caller gets its answer after the commit. One fsync then serves many requests.
 */
export class Writer {
  readonly #runBatch: RunBatch
  #queue: Queued[] = []
  #running: Promise<void> | undefined
  #scheduled = false

  constructor(runBatch: RunBatch) {
    this.#runBatch = runBatch
  }

  /**
   * Queues the operation; resolves with its result after the commit, rejects when it threw (nothing of it is kept).
   * @param durable false for what may be lost with the power (not with the process): see docs/decisions/0004
   */
  submit<T>(operation: Operation<T>, durable = true): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ operation, durable, resolve: resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      // After the current round of I/O callbacks: requests that arrived together share one commit.
      setImmediate(() => {
        this.#running = this.#drain()
      })
    })
  }

  /** Resolves when everything queued so far is committed or refused. */
  async idle(): Promise<void> {
    while (this.#scheduled) {
      await (this.#running ?? new Promise<void>((resolve) => setImmediate(resolve)))
    }
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.length <= MAX_BATCH ? this.#queue : this.#queue.slice(0, MAX_BATCH)
      this.#queue = this.#queue.length <= MAX_BATCH ? [] : this.#queue.slice(MAX_BATCH)
      await this.#commit(batch)
    }
    this.#scheduled = false
    this.#running = undefined
  }

  async #commit(batch: Queued[]): Promise<void> {
    const results: unknown[] = []
    try {
      await this.#runBatch(
        async (transaction) => {
          for (const { operation } of batch) {
            const result = operation(transaction)
            results.push(result instanceof Promise ? await result : result)
          }
        },
        batch.some(({ durable }) => durable),
      )
    } catch (error) {
      // The batch is undone. Alone, only the operation at fault fails; a broken engine fails each of them.
      if (batch.length === 1) batch[0]?.reject(error)
      else for (const queued of batch) await this.#commit([queued])
      return
    }
    batch.forEach((queued, index) => queued.resolve(results[index]))
  }
}
