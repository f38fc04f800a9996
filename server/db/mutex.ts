/** First come, first served; `tryLock` lets a caller that need not wait stay synchronous. */
export class Mutex {
  #locked = false
  readonly #waiting: (() => void)[] = []

  /** Takes the lock if it is free. */
  tryLock(): boolean {
    if (this.#locked) return false
    this.#locked = true
    return true
  }

  /** Resolves once the lock is the caller's. */
  lock(): Promise<void> {
    if (this.tryLock()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Hands the lock to the longest waiting caller. */
  unlock(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#locked = false
  }
}
