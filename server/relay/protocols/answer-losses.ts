import type { Event, Loss } from './canonical.ts'
import { collect } from './collect.ts'
import type { Protocol, StreamCall } from './protocol.ts'

/** Which pieces of a block were kept already: one of text, one of log probabilities, each extension member once. */
interface Kept {
  text: boolean
  logprobs: boolean
  members: Set<string> | undefined
}

/** More alternatives than any maker gives; block indexes of one choice stay below it. */
const CHOICE_STEP = 1_000_000

/**
 * What a streamed answer loses on its way to a client. An encoder of streams shows what the encoder of whole answers shows (law b and
 * c), so a stream loses what its answer would have lost as a whole: the shape of the stream is kept - its blocks with the first piece
 * of their text, never the text - and asked of `encodeResponse` when the stream is over. Events nobody knows are progress of blocks that
 * are told themselves; they are no Loss.
 */
export class AnswerLosses {
  readonly #client: Protocol
  readonly #call: StreamCall
  readonly #shape: Event[] = []
  readonly #kept = new Map<number, Kept>()

  constructor(client: Protocol, call: StreamCall) {
    this.#client = client
    this.#call = call
  }

  /** Takes note of an event of the stream, in order. */
  push(event: Event): void {
    if (event.type === 'delta') this.#delta(event)
    else if (event.type === 'open') {
      // A call's input is told in pieces; whole, it is of interest only where it came whole.
      if (event.block.type === 'call') this.#kept.set(key(event), { text: true, logprobs: false, members: undefined })
      this.#shape.push(event)
    } else if (event.type === 'start' || event.type === 'seal' || event.type === 'close' || event.type === 'finish') this.#shape.push(event)
  }

  /** What was lost so far; costs an encoding, so it is asked for once. */
  losses(): Loss[] {
    const told = new Map<string, Loss>()
    for (const loss of this.#client.encodeResponse(collect(this.#shape), this.#call).losses) told.set(loss.path, loss)
    return [...told.values()]
  }

  #delta(event: Extract<Event, { type: 'delta' }>): void {
    const at = key(event)
    let kept = this.#kept.get(at)
    if (!kept) {
      kept = { text: false, logprobs: false, members: undefined }
      this.#kept.set(at, kept)
    }
    const news = (!kept.text && event.text !== '') || (!kept.logprobs && event.logprobs !== undefined)
    if (!news && (!event.ext || !isNew(event.ext, kept))) return
    this.#shape.push(kept.text ? { ...event, text: '' } : event)
    kept.text ||= event.text !== ''
    kept.logprobs ||= event.logprobs !== undefined
  }
}

/** Whether the extensions name a member that the block had not yet; notes it. */
function isNew(ext: NonNullable<Extract<Event, { type: 'delta' }>['ext']>, kept: Kept): boolean {
  let found = false
  kept.members ??= new Set()
  for (const [protocol, members] of Object.entries(ext)) {
    for (const name of Object.keys(members ?? {})) {
      const full = `${protocol}.${name}`
      if (kept.members.has(full)) continue
      kept.members.add(full)
      found = true
    }
  }
  return found
}

function key(event: { choice: number; index: number }): number {
  return event.choice * CHOICE_STEP + event.index
}
