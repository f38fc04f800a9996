import { isObject, type Json, type JsonObject } from '../../../../contract/json.ts'
import type { Usage, UsageDetails } from '../../../../contract/meters.ts'
import type { Event } from '../canonical.ts'
import type { Frame, Translator } from '../protocol.ts'
import { bodyFault } from './error.ts'
import { BODY_MEMBERS } from './response.ts'
import { parseJson } from './seals.ts'
import { ChoiceReader } from './stream-choice.ts'
import { count, number, objects, OWN, own, restSaid, text } from './wire.ts'
import { rawUsage, readUsage } from './usage.ts'

/** The end marker of every Chat Completions stream. */
export const DONE = '[DONE]'

/** Members of a chunk that only belong to the chunk. */
const CHUNK = new Set([...BODY_MEMBERS, 'error'])

/** Reads a stream of `chat.completion.chunk`s, of OpenAI and of the vendors that copy it. */
export function decodeStream(): Translator<Frame, Event> {
  const choices = new Map<number, ChoiceReader>()
  const head: { id: string; extra: JsonObject; started: boolean } = { id: '', extra: {}, started: false }
  let usage: { usage: Usage & UsageDetails; raw: JsonObject } | undefined
  let told: JsonObject | undefined

  function start(chunk: JsonObject, events: Event[]): void {
    // Azure's first chunk names neither id nor model, only what its filter thought of the prompt.
    head.extra = { ...head.extra, ...restSaid(chunk, CHUNK) }
    const list = chunk.choices
    if (!text(chunk.id) && !(Array.isArray(list) && list.length > 0)) return
    head.started = true
    head.id = text(chunk.id) ?? ''
    const created = number(chunk.created)
    const tier = text(chunk.service_tier)
    events.push({
      type: 'start',
      id: head.id,
      model: text(chunk.model) ?? '',
      ...(created === undefined ? {} : { created }),
      ...(tier === undefined ? {} : { serviceTier: tier }),
      ...own(head.extra),
    })
  }

  function tellUsage(events: Event[]): void {
    if (!usage || told === usage.raw) return
    told = usage.raw
    events.push({ type: 'usage', usage: usage.usage, rawUsage: usage.raw })
  }

  function read(chunk: JsonObject, events: Event[]): void {
    const fault = bodyFault(chunk)
    if (!head.started && !fault) start(chunk, events)
    for (const [position, choice] of objects(chunk.choices).entries()) {
      const index = count(choice.index) ?? position
      let reader = choices.get(index)
      if (!reader) {
        reader = new ChoiceReader(index, head.id)
        choices.set(index, reader)
      }
      reader.read(choice, events, fault !== undefined)
    }
    const raw = rawUsage(chunk)
    const found = readUsage(raw)
    if (found && raw) usage = { usage: found, raw }
    // Perplexity repeats its usage in every chunk: it is told when the answer is over.
    if ((Array.isArray(chunk.choices) && chunk.choices.length === 0) || objects(chunk.choices).some((each) => text(each.finish_reason)))
      tellUsage(events)
    if (fault) events.push({ type: 'fault', fault })
  }

  return {
    push(frame) {
      const events: Event[] = []
      const data = frame.data.trim()
      if (data === DONE) {
        // A vendor that ends properly without a finish reason has ended all the same.
        for (const reader of choices.values()) reader.finish(events)
        tellUsage(events)
        return events
      }
      if (data === '') return events
      const chunk: Json | undefined = parseJson(data)
      if (!isObject(chunk)) events.push({ type: 'foreign', from: OWN, data: { raw: frame.data } })
      else if (frame.event === 'error' && !bodyFault(chunk)) read({ error: chunk }, events)
      else if (!Array.isArray(chunk.choices) && !rawUsage(chunk) && !bodyFault(chunk))
        events.push({ type: 'foreign', from: OWN, data: chunk })
      else read(chunk, events)
      return events
    },
    end() {
      const events: Event[] = []
      for (const reader of choices.values()) reader.close(events)
      tellUsage(events)
      return events
    },
  }
}
