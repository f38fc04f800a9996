import type { Frame, TapResult } from './protocols/protocol.ts'

/** Frames around texts shorter than this are not worth learning from: the text could stand elsewhere by chance. */
const MIN_TEXT = 1

interface Learned {
  event: string | undefined
  head: string
  tail: string
  shownHead: string
  shownTail: string
}

/**
 * Reads the frames of a stream that differ from an earlier one in nothing but their text. Most of a stream is such frames;
 * what was parsed once need not be parsed again. A frame matches only if everything around the text is the same to the
 * letter and the text itself holds neither a quote nor an escape, so that its structure cannot be another.
 */
export class FrameTemplate {
  #learned: Learned | undefined

  /** The text of a frame like the learned one, and the frame as it is shown; undefined: it has to be read in full. */
  match(frame: Frame): { text: string; shown: Frame } | undefined {
    const known = this.#learned
    if (!known) return undefined
    const { data } = frame
    const { head, tail } = known
    if (frame.event !== known.event || data.length < head.length + tail.length || !data.startsWith(head) || !data.endsWith(tail))
      return undefined
    const text = data.slice(head.length, data.length - tail.length)
    if (text.includes('"') || text.includes('\\')) return undefined
    if (known.shownHead === head && known.shownTail === tail) return { text, shown: frame }
    return { text, shown: { ...frame, data: known.shownHead + text + known.shownTail } }
  }

  /** Remembers a frame that carries text and nothing else of interest, and how it was shown. */
  learn(frame: Frame, shown: Frame, found: TapResult): void {
    const { text } = found
    if (
      text.length < MIN_TEXT ||
      found.end ||
      found.usage ||
      found.cacheWriteTotal !== undefined ||
      found.finish !== undefined ||
      found.usageOnly
    )
      return
    const quoted = JSON.stringify(text)
    const parts = split(frame.data, quoted)
    const shownParts = parts && split(shown.data, quoted)
    if (!parts || !shownParts) return
    this.#learned = { event: frame.event, head: parts[0], tail: parts[1], shownHead: shownParts[0], shownTail: shownParts[1] }
  }
}

/** What stands before and after the only place of the quoted text, with the quotes left on. */
function split(data: string, quoted: string): [string, string] | undefined {
  const at = data.indexOf(quoted)
  if (at < 0 || data.includes(quoted, at + 1)) return undefined
  return [data.slice(0, at + 1), data.slice(at + quoted.length - 1)]
}
