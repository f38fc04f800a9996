import { isContention, isUnreachable } from './lost.ts'
import type { Statement } from './statement.ts'
import { nextTurn } from '../lib/turn.ts'

export type Row = Record<string, unknown>

/** Runs compiled statements inside the writer's open transaction. */
export interface BatchTransaction {
  /** A statement that returns nothing; how many rows it changed. */
  run<P extends object>(statement: Statement<P>, values: P): number | Promise<number>
  /** All rows of a statement that returns rows. */
  all<P extends object>(statement: Statement<P>, values: P): Row[] | Promise<Row[]>
  /** The first row of a statement that returns rows. */
  first<P extends object>(statement: Statement<P>, values: P): Row | undefined | Promise<Row | undefined>
}

/** One unit of work: conditional statements that leave nothing behind when they refuse. */
export type Operation<T> = (transaction: BatchTransaction) => T | Promise<T>

/** Operations of one kind that run together, in a few statements for all that wait; a refusal is a result. */
export interface OperationSet<I, T> {
  /** One result for each input, in their order. */
  runAll(transaction: BatchTransaction, inputs: readonly I[]): Promise<T[]>
}

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

/**
 * Patient operations are gathered for this long after a durable commit. The end marker of a stream comes that much later at
 * most, after seconds of answer; under load one sync then serves several of them.
 */
const GATHER_MS = 5

/** How often a batch is run when its connection was lost or a deadlock undid it; a new connection, or the next turn, is mostly enough. */
const TRIES = 3

export interface SubmitOptions {
  /** False for what may be lost with the power (not with the process): see docs/decisions/0004. */
  durable?: boolean
  /** May wait GATHER_MS for others when commits are frequent. */
  patient?: boolean
}

interface Queued {
  work: { operation: Operation<unknown> } | { set: OperationSet<unknown, unknown>; input: unknown }
  durable: boolean
  /** When it was submitted, performance.now(). */
  sinceMs: number
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
  /** What waits for the next durable commit, or for the end of the rest after the last one. */
  #patient: Queued[] = []
  #resting: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined
  /** When the oldest operation of the running transaction was submitted. */
  #committingSinceMs = Infinity
  #scheduled = false

  constructor(runBatch: RunBatch) {
    this.#runBatch = runBatch
  }

  /** Queues the operation; resolves with its result after the commit, rejects when it threw (nothing of it is kept). */
  submit<T>(operation: Operation<T>, options: SubmitOptions = {}): Promise<T> {
    return this.#enqueue<T>({ operation }, options)
  }

  /** The same for an operation that runs together with the others of its set, before the rest of the transaction. */
  submitTo<I, T>(set: OperationSet<I, T>, input: I, options: SubmitOptions = {}): Promise<T> {
    return this.#enqueue<T>({ set, input }, options)
  }

  #enqueue<T>(work: Queued['work'], { durable = true, patient = false }: SubmitOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const queued: Queued = { work, durable, sinceMs: performance.now(), resolve, reject }
      if (patient) {
        this.#patient.push(queued)
        if (this.#resting === undefined) this.#schedule()
      } else {
        this.#queue.push(queued)
        this.#schedule()
      }
    })
  }

  /** Operations that wait for a commit. */
  get waiting(): number {
    return this.#queue.length + this.#patient.length
  }

  /** How long the oldest operation has been without an answer, the running transaction included; 0 when none is. */
  get waitedMs(): number {
    const oldest = Math.min(this.#committingSinceMs, sinceOf(this.#queue), sinceOf(this.#patient))
    return oldest === Infinity ? 0 : performance.now() - oldest
  }

  /** Resolves when everything queued so far is committed or refused. */
  async idle(): Promise<void> {
    for (;;) {
      clearTimeout(this.#resting)
      this.#resting = undefined
      if (!this.#scheduled && this.#queue.length === 0 && this.#patient.length === 0) return
      this.#schedule()
      await (this.#running ?? nextTurn())
    }
  }

  /** After the current round of I/O callbacks: requests that arrived together share one commit. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#running = this.#drain()
    })
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 || (this.#patient.length > 0 && this.#resting === undefined)) {
      const urgent = this.#queue.splice(0, MAX_BATCH)
      // The patient go along with a sync that is made anyway, or make one of their own when they have waited.
      const due = this.#resting === undefined || urgent.some(({ durable }) => durable)
      const patient = due ? this.#patient.splice(0, MAX_BATCH - urgent.length) : []
      this.#committingSinceMs = Math.min(sinceOf(urgent), sinceOf(patient))
      await this.#commit(patient.length > 0 ? [...urgent, ...patient] : urgent)
      this.#committingSinceMs = Infinity
      if (patient.length > 0) this.#rest()
    }
    this.#scheduled = false
    this.#running = undefined
  }

  #rest(): void {
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      if (this.#patient.length > 0) this.#schedule()
    }, GATHER_MS)
  }

  async #commit(batch: Queued[]): Promise<void> {
    const results: unknown[] = Array.from({ length: batch.length })
    try {
      await this.#run(batch, results)
    } catch (error) {
      // The batch is undone. Of a lost database nothing more can be asked; else halves find the one at fault in few steps.
      if (batch.length === 1 || isUnreachable(error)) for (const queued of batch) queued.reject(error)
      else {
        const half = batch.length >> 1
        await this.#commit(batch.slice(0, half))
        await this.#commit(batch.slice(half))
      }
      return
    }
    batch.forEach((queued, index) => queued.resolve(results[index]))
  }

  /** One transaction, again when what undid it was none of its operations' fault. */
  async #run(batch: readonly Queued[], results: unknown[]): Promise<void> {
    const durable = batch.some((queued) => queued.durable)
    for (let left = TRIES - 1; ; left -= 1) {
      try {
        return await this.#runBatch((transaction) => runAll(batch, transaction, results), durable)
      } catch (error) {
        if (left === 0 || !(isUnreachable(error) || isContention(error))) throw error
      }
    }
  }
}

function sinceOf(queue: readonly Queued[]): number {
  return queue[0]?.sinceMs ?? Infinity
}

/** Sets first, then what runs one by one; results stand where their operations do. */
async function runAll(batch: readonly Queued[], transaction: BatchTransaction, results: unknown[]): Promise<void> {
  const sets = new Map<OperationSet<unknown, unknown>, { at: number; input: unknown }[]>()
  for (const [at, { work }] of batch.entries()) {
    if (!('set' in work)) continue
    const of = sets.get(work.set)
    if (of) of.push({ at, input: work.input })
    else sets.set(work.set, [{ at, input: work.input }])
  }
  for (const [set, members] of sets) {
    const outcomes = await set.runAll(
      transaction,
      members.map(({ input }) => input),
    )
    members.forEach(({ at }, index) => (results[at] = outcomes[index]))
  }
  for (let at = 0; at < batch.length; at += 1) {
    const work = batch[at]?.work
    if (!work || 'set' in work) continue
    const result = work.operation(transaction)
    results[at] = result instanceof Promise ? await result : result
  }
}
