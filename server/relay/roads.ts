import type { Usage, UsageDetails } from '../../contract/meters.ts'
import type { Candidate } from '../features/catalog/snapshot.ts'
import type { AdmittedCall } from './call.ts'
import { streamCallOf } from './deliver.ts'
import { showModelInFrame } from './model-name.ts'
import { AnswerLosses } from './protocols/answer-losses.ts'
import type { Event, Fault, Loss } from './protocols/canonical.ts'
import { protocols } from './protocols/index.ts'
import { mergeTapUsage } from './protocols/merge-usage.ts'
import type { Frame, Protocol, Translator } from './protocols/protocol.ts'
import { FrameTemplate } from './template.ts'
import { TextMeter } from './text-meter.ts'

/** How frames of the upstream become frames of the client. */
export interface Road {
  /** Text of the answer so far. */
  readonly text: TextMeter
  /** A customer could use something of it. */
  readonly hasContent: boolean
  /** The upstream's own error inside the stream. */
  readonly fault: Fault | undefined
  /** The protocol's end was seen: nothing more is to be read. */
  readonly ended: boolean
  /** The answer is whole: its end marker or its finish reason was seen. */
  readonly complete: boolean
  readonly losses: readonly Loss[]
  /** Highest number of an alternative that came (`n`); 0 for the usual single one. */
  readonly lastChoice: number
  /** Frames to send now; usage is merged into `usage`. Frames that end the answer are kept for `end`. */
  push(frame: Frame, usage: Partial<Usage & UsageDetails>): Frame[]
  /** The frames that break the stream off in the client's protocol. */
  fail(fault: Fault, requestId: string): Frame[]
  /** The last frames, sent after the charge is committed; what they tell of usage is merged too. */
  end(usage: Partial<Usage & UsageDetails>): Frame[]
}

/** The road of a call over a channel: its own protocol's frames forwarded, another's translated. */
export function roadOf(call: AdmittedCall, candidate: Candidate): Road {
  const upstream = protocols[candidate.channel.protocol]
  return upstream === call.ingress.protocol ? new SameRoad(call, upstream) : new TranslatedRoad(call, upstream)
}

/** Same protocol: frames go as they came, with the platform's model name; usage is read from a copy. */
class SameRoad implements Road {
  readonly text = new TextMeter()
  readonly losses: readonly Loss[] = []
  lastChoice = 0
  hasContent = false
  fault: Fault | undefined
  ended = false
  complete = false
  readonly #protocol: Protocol
  readonly #model: string
  readonly #wantsUsage: boolean
  readonly #template = new FrameTemplate()
  readonly #tail: Frame[] = []

  constructor(call: AdmittedCall, protocol: Protocol) {
    this.#protocol = protocol
    this.#model = call.model.name
    this.#wantsUsage = call.peek.wantsUsage
  }

  push(frame: Frame, usage: Partial<Usage & UsageDetails>): Frame[] {
    const same = this.#template.match(frame)
    if (same) {
      this.text.add(same.text)
      return [same.shown]
    }
    const found = this.#protocol.tap(frame)
    mergeTapUsage(usage, found)
    if (found.fault) {
      this.fault = found.fault
      return []
    }
    this.text.add(found.text)
    if (found.content) this.hasContent = true
    if (found.choice !== undefined && found.choice > this.lastChoice) this.lastChoice = found.choice
    if (found.finish !== undefined) this.complete = true
    const shown = this.#show(frame)
    if (found.end) {
      this.ended = this.complete = true
      this.#tail.push(shown)
      return []
    }
    if (found.content) this.#template.learn(frame, shown, found)
    return found.usageOnly && !this.#wantsUsage ? [] : [shown]
  }

  fail(fault: Fault, requestId: string): Frame[] {
    return this.#protocol.encodeStreamError(fault, requestId)
  }

  end(): Frame[] {
    return this.#tail
  }

  #show(got: Frame): Frame {
    const frame = this.#protocol.mendFrame?.(got) ?? got
    const data = showModelInFrame(frame.data, this.#model, this.#protocol.answerModel)
    return data === frame.data ? frame : { ...frame, data }
  }
}

/** Another protocol: decoded to events, encoded anew. */
class TranslatedRoad implements Road {
  readonly text = new TextMeter()
  lastChoice = 0
  hasContent = false
  fault: Fault | undefined
  ended = false
  complete = false
  readonly #upstream: Protocol
  readonly #client: Protocol
  readonly #decoder: Translator<Frame, Event>
  readonly #encoder: Translator<Event, Frame>
  readonly #losses: AnswerLosses
  #finishing = false
  /** A picture or sound was begun: its deltas are no words, and what it says beside them only the upstream's own tap reads. */
  #media = false
  readonly #tail: Frame[] = []

  constructor(call: AdmittedCall, upstream: Protocol) {
    this.#upstream = upstream
    this.#client = call.ingress.protocol
    this.#decoder = upstream.decodeStream()
    const streamCall = streamCallOf(call)
    this.#encoder = this.#client.encodeStream(streamCall)
    this.#losses = new AnswerLosses(this.#client, streamCall)
  }

  get losses(): readonly Loss[] {
    return this.#losses.losses()
  }

  push(frame: Frame, usage: Partial<Usage & UsageDetails>): Frame[] {
    const frames = this.#encode(this.#decoder.push(frame), usage)
    if (this.#media) this.text.add(this.#upstream.tap(frame).text)
    // An upstream may leave its connection open after its end marker.
    if (this.#finishing && this.#upstream.tap(frame).end) this.ended = true
    return frames
  }

  /** Through the encoder, which knows what of the stream the client has seen. */
  fail(fault: Fault, requestId: string): Frame[] {
    const frames = this.#encoder.push({ type: 'fault', fault })
    return frames.length > 0 ? frames : this.#client.encodeStreamError(fault, requestId)
  }

  end(usage: Partial<Usage & UsageDetails>): Frame[] {
    const rest = this.#encode(this.#decoder.end(), usage)
    return [...this.#tail, ...rest, ...(this.complete ? this.#encoder.end() : [])]
  }

  #encode(events: Event[], usage: Partial<Usage & UsageDetails>): Frame[] {
    const frames: Frame[] = []
    for (const event of events) {
      if (event.type === 'fault') {
        this.fault = event.fault
        return frames
      }
      this.#tap(event, usage)
      this.#losses.push(event)
      // From the finish on, frames wait for the commit: which of them ends the client's stream only its encoder knows.
      ;(this.#finishing ? this.#tail : frames).push(...this.#encoder.push(event))
    }
    return frames
  }

  #tap(event: Event, usage: Partial<Usage & UsageDetails>): void {
    switch (event.type) {
      case 'open':
        if (event.choice > this.lastChoice) this.lastChoice = event.choice
        this.#media ||= event.block.type === 'media'
        if (event.block.type === 'text' || event.block.type === 'reasoning' || event.block.type === 'refusal') this.#count(event.block.text)
        if (event.block.type === 'call') this.#count(event.block.name + event.block.input)
        this.hasContent ||= event.block.type !== 'text' || event.block.text !== ''
        break
      case 'delta':
        this.#count(event.text)
        this.hasContent = true
        break
      case 'usage':
        Object.assign(usage, event.usage)
        break
      case 'finish':
        this.complete = this.#finishing = true
        break
      default:
    }
  }
  #count(words: string): void {
    if (!this.#media) this.text.add(words)
  }
}
