import { Worker } from 'node:worker_threads'
import { counterWorkerUrl } from '../lib/paths.ts'
import { guessTokens } from './tokens.ts'

/** The tokenizer's tables weigh about 100 MB and take 0.7 s to load: a worker that is not needed for this long is ended. */
const IDLE_MS = 60_000
/** Longest wait for a count; after it the guess stands. */
const COUNT_TIMEOUT_MS = 5_000

interface Pending {
  text: string
  resolve(tokens: number): void
  timer: ReturnType<typeof setTimeout>
}

/**
 * Counts tokens with an offline tokenizer (o200k_base) in a worker thread, for answers whose upstream stated no usage.
 * The event loop never waits for it; when the worker fails or is late the fast guess is the count.
 */
export class TokenCounter {
  #worker: Worker | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  readonly #pending = new Map<number, Pending>()
  #next = 0

  /** Tokens of the text; never rejects. */
  count(text: string): Promise<number> {
    if (text === '') return Promise.resolve(0)
    return new Promise((resolve) => {
      const id = this.#next
      this.#next += 1
      const timer = setTimeout(() => this.#answer(id, undefined), COUNT_TIMEOUT_MS)
      this.#pending.set(id, { text, resolve, timer })
      this.#running().postMessage({ id, text })
    })
  }

  /** Ends the worker. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #running(): Worker {
    clearTimeout(this.#idle)
    if (this.#worker) return this.#worker
    const worker = new Worker(counterWorkerUrl)
    worker.on('message', ({ id, tokens }: { id: number; tokens: number }) => this.#answer(id, tokens))
    worker.on('error', () => this.#lost(worker))
    worker.on('exit', () => this.#lost(worker))
    worker.unref()
    this.#worker = worker
    return worker
  }

  #answer(id: number, tokens: number | undefined): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    pending.resolve(tokens ?? guessTokens(pending.text))
    if (this.#pending.size > 0) return
    this.#idle = setTimeout(() => void this.close(), IDLE_MS)
    this.#idle.unref()
  }

  #lost(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const id of this.#pending.keys()) this.#answer(id, undefined)
  }
}
