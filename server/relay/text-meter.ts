import type { TokenCounter } from './counter.ts'
import { guessTokens } from './tokens.ts'

/** Text kept of one answer for exact counting; beyond it the count goes on by the measured ratio. 2,000 streams: 64 MB at most. */
const KEPT_CHARS = 16_384

/** Collects the decoded text of an answer, bounded, so that it can be counted if the upstream states no usage. */
export class TextMeter {
  #kept = ''
  #rest = 0
  /** Characters added so far. */
  chars = 0

  add(text: string): void {
    if (text === '') return
    this.chars += text.length
    if (this.#kept.length < KEPT_CHARS) this.#kept += text
    else this.#rest += guessTokens(text)
  }

  /** Nothing was produced. */
  get empty(): boolean {
    return this.#kept === ''
  }

  /** Tokens of all text so far, by the fast guess: for what is held, not for what is charged. */
  guess(): number {
    return guessTokens(this.#kept) + this.#rest
  }

  /** Tokens of all text that was added: the kept part by tokenizer, the rest by the fast guess corrected by the kept part. */
  async count(counter: TokenCounter): Promise<number> {
    const counted = await counter.count(this.#kept)
    if (this.#rest === 0) return counted
    return counted + Math.round(this.#rest * (counted / Math.max(1, guessTokens(this.#kept))))
  }
}
