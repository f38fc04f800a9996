import { describeError, type Log } from '../lib/log.ts'

/** Something that runs again and again; a run that takes longer than its interval is not joined by a second one. */
export interface Job {
  readonly name: string
  readonly everyMs: number
  run(): Promise<void>
}

/** Runs jobs until it is stopped. A job that fails is logged and runs again at its next time. */
export class Scheduler {
  readonly #log: Log
  readonly #timers: ReturnType<typeof setInterval>[] = []
  readonly #running = new Map<string, Promise<void>>()

  constructor(log: Log) {
    this.#log = log
  }

  start(jobs: readonly Job[]): void {
    for (const job of jobs) {
      const timer = setInterval(() => this.#tick(job), job.everyMs)
      timer.unref()
      this.#timers.push(timer)
    }
  }

  /** Starts nothing more and waits for what runs. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#running.values())
  }

  #tick(job: Job): void {
    if (this.#running.has(job.name)) return
    const run = job
      .run()
      .catch((error: unknown) => this.#log.error('a job failed', { job: job.name, cause: describeError(error) }))
      .finally(() => this.#running.delete(job.name))
    this.#running.set(job.name, run)
  }
}
