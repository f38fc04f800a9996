import AhoCorasick from 'modern-ahocorasick'

/** What separates the words of the setting `sensitive_words` (contract.md 5.1). */
const SEPARATORS = /[,，;；\r\n\t]+/

/**
 * What stays of combining marks where no letter has them built in: crossed-out and underlined text. Marks that are vowels (Hindi,
 * Thai, Arabic) are not among them.
 */
const OVERLAYS = '\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f'
const UNSEEN = new RegExp(`[\\p{Default_Ignorable_Code_Point}${OVERLAYS}]+`, 'gu')

/** One form for every way to write the same: width and compatibility (NFKC), case, nothing that is not seen. */
export function normalised(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ')
  const seen = plain.replace(UNSEEN, '')
  return seen === plain ? plain : seen.normalize('NFKC')
}

/** A compiled list of words. */
export interface Lexicon {
  readonly size: number
  /** Whether any word stands in a normalised text. */
  matches(text: string): boolean
  /** Characters at the end of a normalised text that a word could begin with: 0 when none could. */
  pending(text: string): number
}

/** Compiles the setting; undefined when it names no word. 10,000 words take one to three tenths of a second, once for each change. */
export function compileLexicon(setting: string): Lexicon | undefined {
  const words = [...new Set(setting.split(SEPARATORS).map((word) => normalised(word.trim())))].filter((word) => word !== '').sort()
  if (words.length === 0) return undefined
  const automaton = new AhoCorasick(words)
  const beginnings = new Set(words.map((word) => word.charCodeAt(0)))
  const longest = words.reduce((most, { length }) => Math.max(most, length), 0)
  return {
    size: words.length,
    matches: (text) => automaton.match(text),
    pending(text) {
      for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
        if (beginnings.has(text.charCodeAt(at)) && startsAny(words, text.slice(at))) return text.length - at
      }
      return 0
    },
  }
}

/** Whether a word of the sorted list begins with `start`. */
function startsAny(words: readonly string[], start: string): boolean {
  let low = 0
  let high = words.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((words[middle] ?? '') < start) low = middle + 1
    else high = middle
  }
  return words[low]?.startsWith(start) === true
}
