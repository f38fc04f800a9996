import { isObject, type JsonObject } from '../../../contract/json.ts'
import { EMPTY_USAGE } from '../../../contract/meters.ts'
import type { AdmittedCall } from '../call.ts'
import { readForm } from './multipart.ts'
import { formRequest, inputOnly, jsonRequest, OPENAI_KIND, statedUsage } from './openai.ts'
import type { Answered, Service } from './service.ts'

/** OpenAI counts one token for 100 ms of sound that goes in. */
const TOKENS_PER_SECOND = 10
/** MP3 at 128 kbit/s, the commonest form of speech that is sent. */
const BYTES_PER_SECOND = 16_000
/** Fast speech is three words a second; held, not charged. */
const SPOKEN_TOKENS_PER_SECOND = 5
/** A statement above a day of sound is a fault. */
const MAX_SECONDS = 24 * 60 * 60

/** What is to be spoken. */
export const spokenText = (body: JsonObject): string => (typeof body.input === 'string' ? body.input : '')

/** What goes with a recording. */
export const promptText = (body: JsonObject): string => (typeof body.prompt === 'string' ? body.prompt : '')

/** Characters of the text, as the makers of voices count and price it. */
function characters(body: JsonObject): number {
  return Array.from(spokenText(body)).length
}

/** `/v1/audio/speech`: sound as it comes; without a statement each character of the text counts as one input token. */
export const speech: Service = {
  protocols: OPENAI_KIND,
  ceiling: (call) => inputOnly(characters(call.body)),
  request: jsonRequest('/audio/speech'),
  async measure({ json }, call) {
    return { usage: statedUsage(json), estimate: inputOnly(characters(call.body)), items: 1 }
  },
}

function hearing(path: string): Service {
  return {
    protocols: OPENAI_KIND,
    read: readForm,
    ceiling(call) {
      const seconds = secondsBySize(call)
      return {
        ...EMPTY_USAGE,
        input: call.estimatedInput,
        audioInput: seconds * TOKENS_PER_SECOND,
        output: seconds * SPOKEN_TOKENS_PER_SECOND,
      }
    },
    request: formRequest(path),
    async measure(answered, call, counter) {
      const usage = statedUsage(answered.json)
      const seconds = statedSeconds(answered.json) ?? secondsBySize(call)
      const estimate = usage ?? {
        ...EMPTY_USAGE,
        audioInput: Math.ceil(seconds * TOKENS_PER_SECOND),
        output: await counter.count(heardText(answered)),
      }
      return { usage, estimate, items: 1 }
    },
  }
}

/** How long the recording is, as the upstream says: `usage.seconds`, or `duration` of a verbose answer. */
function statedSeconds(json: JsonObject | undefined): number | undefined {
  const seconds = isObject(json?.usage) ? json.usage.seconds : json?.duration
  return typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined
}

function secondsBySize({ body }: AdmittedCall): number {
  return Math.ceil((typeof body.file === 'number' ? body.file : 0) / BYTES_PER_SECOND)
}

function heardText({ json, text }: Answered): string {
  return typeof json?.text === 'string' ? json.text : text
}

export const transcriptions = hearing('/audio/transcriptions')
export const translations = hearing('/audio/translations')
