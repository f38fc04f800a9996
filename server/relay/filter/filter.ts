import type { LiveSettings } from '../../lib/live-settings.ts'
import { compileLexicon, normalised, type Lexicon } from './lexicon.ts'

/**
 * The owner's list of words (contract.md 8.6). Switched off it costs a call one boolean; changes are in force at once, and a list is
 * compiled when the first call needs it.
 */
export class ContentFilter {
  /** Whether requests are read. */
  requests = false
  /** Whether answers are read too. */
  answers = false
  readonly #settings: LiveSettings
  #source = ''
  #lexicon: Lexicon | undefined

  constructor(settings: LiveSettings) {
    this.#settings = settings
    settings.onReplace(() => this.#refresh())
    this.#refresh()
  }

  /** Whether a word of the list stands in a text. */
  finds(text: string): boolean {
    return this.lexicon()?.matches(normalised(text)) === true
  }

  /** The list in force; undefined when it is empty. */
  lexicon(): Lexicon | undefined {
    const source = this.#settings.text('sensitive_words')
    if (source !== this.#source) {
      this.#lexicon = compileLexicon(source)
      this.#source = source
    }
    return this.#lexicon
  }

  #refresh(): void {
    this.requests = this.#settings.bool('sensitive_filter_enabled') && this.#settings.text('sensitive_words') !== ''
    this.answers = this.requests && this.#settings.text('sensitive_filter_scope') === 'request_response'
  }
}
