import type { Json, JsonObject } from '../../../../contract/json.ts'
import type { Block, Extensions, Seal } from '../canonical.ts'
import type { FreeText } from './asked.ts'
import { type Call, PART_BREAK, type Reasoning } from './block.ts'
import { writeReasoning } from './block-encode.ts'
import { answerPart, callItem, imageItem, itemId, messageItem, messageMembers } from './items.ts'
import { writeCarrier, writeEncrypted } from './seals.ts'
import { list, object, OWN, remembered, text } from './wire.ts'

type Words = Extract<Block, { type: 'text' | 'refusal' }>
type Media = Extract<Block, { type: 'media' }>

/** Where item writers put what they write. */
export interface Sink {
  /** The middle of the ids that are made here. */
  readonly base: string
  /** Writes one event; the sequence number is added. */
  write(type: string, members: JsonObject): void
  /** Takes the next place in the output and announces the item that will stand there. */
  add(item: (index: number) => JsonObject): number
  /** Announces the item done and keeps it for the final event. */
  done(index: number, item: JsonObject): void
}

/** What happens to a block after it was opened. */
export interface BlockWriter {
  delta(piece: string, logprobs: Json[], ext: JsonObject | undefined): void
  seal(seal: Seal): void
  close(ext: JsonObject | undefined): void
}

/** A message of the model: the texts and refusals that follow each other. It is done when something else follows, or at the end. */
export class MessageWriter {
  private readonly sink: Sink
  private readonly index: number
  private readonly id: string
  private readonly members: JsonObject | undefined
  private readonly parts: JsonObject[] = []
  private open = 0
  private sealed = false
  private over = false

  constructor(sink: Sink, first: Block) {
    this.sink = sink
    this.members = messageMembers(first)
    let id = ''
    this.index = sink.add((index) => {
      id = text(this.members?.id) ?? `msg_${sink.base}_${index}`
      return messageItem(id, this.members, 'in_progress', [])
    })
    this.id = id
  }

  /** Whether `block` may become a part of this message. */
  takes(block: Block): boolean {
    return !this.sealed && messageMembers(block) === undefined
  }

  /** Nothing more comes; a part that is still open may go on. */
  seal(status = 'completed'): void {
    this.sealed = true
    this.settle(status)
  }

  words(block: Words): BlockWriter {
    const place = this.parts.length
    const { sink } = this
    const at = { item_id: this.id, output_index: this.index, content_index: place }
    const refusal = block.type === 'refusal'
    const annotations: Json[] = []
    const logprobs: Json[] = []
    let words = ''
    let members = block
    this.open++
    this.parts.push({})
    sink.write('response.content_part.added', { ...at, part: answerPart(block, '', [], []) })
    const annotate = (found: Json | undefined) => {
      for (const annotation of list(found)) {
        sink.write('response.output_text.annotation.added', { ...at, annotation_index: annotations.length, annotation })
        annotations.push(annotation)
      }
    }
    const piece = (said: string, probabilities: Json[]) => {
      words += said
      logprobs.push(...probabilities)
      if (said === '' && probabilities.length === 0) return
      if (refusal) sink.write('response.refusal.delta', { ...at, delta: said })
      else sink.write('response.output_text.delta', { ...at, delta: said, logprobs: probabilities })
    }
    piece(block.text, [])
    annotate(block.ext?.[OWN]?.annotations)
    return {
      delta: (said, probabilities, ext) => {
        piece(said, probabilities)
        annotate(ext?.annotations)
      },
      seal: () => {},
      close: (ext) => {
        annotate(ext?.annotations)
        members = { ...block, ext: merged(block.ext, ext) }
        const part = answerPart(members, words, annotations, logprobs)
        if (refusal) sink.write('response.refusal.done', { ...at, refusal: words })
        else sink.write('response.output_text.done', { ...at, text: words, logprobs })
        sink.write('response.content_part.done', { ...at, part })
        this.parts[place] = part
        this.open--
        this.settle('completed')
      },
    }
  }

  /** A part nobody knows, told at once. */
  foreign(part: JsonObject): void {
    const at = { item_id: this.id, output_index: this.index, content_index: this.parts.length }
    this.parts.push(part)
    this.sink.write('response.content_part.added', { ...at, part })
    this.sink.write('response.content_part.done', { ...at, part })
  }

  private settle(status: string): void {
    if (this.over || !this.sealed || this.open > 0) return
    this.over = true
    this.sink.done(this.index, messageItem(this.id, this.members, status, this.parts))
  }
}

function merged(ext: Extensions | undefined, more: JsonObject | undefined): Extensions | undefined {
  return more ? { ...ext, [OWN]: { ...ext?.[OWN], ...more } } : ext
}

/** A reasoning item. Thoughts of other makers are told as its summary: that is what clients show, and what they send back. */
export function writeThoughts(sink: Sink, block: Reasoning): BlockWriter {
  const fromContent = remembered(block.ext, 'content') === true
  const own = writeEncrypted(block).id
  let id = ''
  const index = sink.add((at) => {
    id = own ?? itemId(block, 'rs', sink.base, at)
    return { id, type: 'reasoning', summary: [], ...(fromContent ? { content: [] } : {}) }
  })
  const place = fromContent ? 'content_index' : 'summary_index'
  const partType = fromContent ? 'reasoning_text' : 'summary_text'
  const partEvent = fromContent ? 'response.content_part' : 'response.reasoning_summary_part'
  const textEvent = fromContent ? 'response.reasoning_text' : 'response.reasoning_summary_text'
  const breaks: Json[] = []
  let whole = ''
  let part: string | undefined
  let count = 0
  let seal = block.seal
  const at = () => ({ item_id: id, output_index: index, [place]: count })
  const begin = () => {
    part = ''
    sink.write(`${partEvent}.added`, { ...at(), part: { type: partType, text: '' } })
  }
  const end = () => {
    if (part === undefined) return
    sink.write(`${textEvent}.done`, { ...at(), text: part })
    sink.write(`${partEvent}.done`, { ...at(), part: { type: partType, text: part } })
    part = undefined
    count++
  }
  const piece = (said: string) => {
    if (said === '') return
    if (part === undefined) begin()
    part += said
    whole += said
    sink.write(`${textEvent}.delta`, { ...at(), delta: said })
  }
  piece(block.text)
  return {
    delta: (said, _, ext) => {
      const broken = list(ext?._breaks)
      if (broken.length === 0 || !said.startsWith(PART_BREAK)) return piece(said)
      if (part === undefined) begin()
      end()
      breaks.push(whole.length)
      whole += PART_BREAK
      begin()
      piece(said.slice(PART_BREAK.length))
    },
    seal: (late) => {
      seal = late
    },
    close: (ext) => {
      if (part === undefined && count === 0 && ext?._blank === true) begin()
      end()
      const known = object(block.ext?.[OWN])
      const all = [...list(known._breaks), ...breaks]
      const said = { ...known, ...ext, ...(all.length > 0 ? { _breaks: all } : {}) }
      const ours = Object.keys(said).length === 0 ? {} : { ext: { [OWN]: said } }
      sink.done(index, {
        ...writeReasoning(
          { type: 'reasoning', text: whole, ...(block.redacted && { redacted: true }), ...(seal && { seal }), ...ours },
          id,
        ),
        id,
      })
    },
  }
}

/**
 * A call. Its seal rides in `call_id`; one that comes too late for that follows in an item of its own.
 * @param free takes the text of a free-form tool out of the function it was called as
 */
export function writeToolCall(sink: Sink, block: Call, free?: FreeText): BlockWriter {
  let id = ''
  const index = sink.add((at) => {
    id = itemId(block, block.custom ? 'ctc' : 'fc', sink.base, at)
    return callItem(block, id, 'in_progress', '')
  })
  const member = block.custom ? 'input' : 'arguments'
  const event = block.custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments'
  const at = { item_id: id, output_index: index }
  let input = ''
  let late: Seal | undefined
  const tell = (said: string) => {
    if (said === '') return
    input += said
    sink.write(`${event}.delta`, { ...at, delta: said })
  }
  const piece = (said: string) => tell(free ? free.push(said) : said)
  piece(block.input)
  return {
    delta: piece,
    seal: (seal) => {
      if (!block.seal && seal.by !== OWN) late = seal
    },
    close: (ext) => {
      if (free) tell(free.end())
      sink.write(`${event}.done`, { ...at, [member]: input })
      sink.done(index, callItem({ ...block, ext: merged(block.ext, ext) }, id, 'completed', input))
      if (!late) return
      const encrypted = writeCarrier(late, block.id)
      let carrier: JsonObject = {}
      const place = sink.add((next) => {
        carrier = { id: `rs_${sink.base}_${next}`, type: 'reasoning', summary: [] }
        return carrier
      })
      sink.done(place, { ...carrier, encrypted_content: encrypted })
    },
  }
}

/** An image, as the item of the image tool; `place` is where that item was already announced. */
export function writeImage(sink: Sink, block: Media, place: number | undefined): BlockWriter {
  let id = itemId(block, 'ig', sink.base, place ?? 0)
  let base64 = 'base64' in block.data ? block.data.base64 : ''
  const index =
    place ??
    sink.add((at) => {
      id = itemId(block, 'ig', sink.base, at)
      return imageItem(block, id, null, 'in_progress')
    })
  return {
    delta: (piece) => {
      base64 += piece
    },
    seal: () => {},
    close: () => sink.done(index, imageItem(block, id, base64, 'completed')),
  }
}
