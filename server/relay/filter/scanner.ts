import { normalised, type Lexicon } from './lexicon.ts'

/** Characters kept also when no word can go on: a letter and its accent may come in two pieces. */
const CONTEXT = 8

/** Reads a text that comes in pieces for words that may span them. What it keeps is shorter than the longest word. */
export class TextScanner {
  /** A word was seen. */
  found = false
  /** Characters (normalised) read so far that no word can begin in any more. */
  cleared = 0
  /** Characters (normalised) read so far. */
  read = 0
  readonly #lexicon: Lexicon
  #tail = ''

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon
  }

  push(piece: string): void {
    if (this.found || piece === '') return
    const text = normalised(this.#tail + piece)
    // What the word began with is never cleared.
    this.found = this.#lexicon.matches(text)
    if (this.found) return
    const pending = this.#lexicon.pending(text)
    this.read += Math.max(0, text.length - this.#tail.length)
    this.cleared = this.read - pending
    this.#tail = text.slice(-Math.max(pending, CONTEXT))
  }

  /** Nothing follows. */
  close(): void {
    this.cleared = this.read
    this.#tail = ''
  }
}
