import type { JsonObject } from '../../../contract/json.ts'
import { EMPTY_USAGE, type Usage, type UsageDetails } from '../../../contract/meters.ts'
import type { AdmittedCall } from '../call.ts'
import { readForm } from './multipart.ts'
import { formRequest, itemsAsked, jsonRequest, OPENAI_KIND, statedUsage, textsOf } from './openai.ts'
import type { Answered, Service } from './service.ts'

/** Tokens one picture counts for where no usage is stated: its price per million is then the price of a picture (contract.md 7.4). */
const TOKENS_PER_PICTURE = 1_000_000
/** The dearest picture of the models that do state tokens is 6,240 (OpenAI, 1024x1536 high); previews add some. */
const MAX_STATED_TOKENS = 10_000
/** Tokens of a picture that goes in, at high fidelity. */
const PICTURE_INPUT_TOKENS = 6_500
/** Models known to state tokens: holding a million for each picture would turn customers away. */
const STATES_TOKENS = /gpt-image|chatgpt-image|gpt-4o-image|gpt-5-image/i

/** What a picture is asked for with. */
export const pictureText = (body: JsonObject): string =>
  textsOf([body.prompt ?? '', body.negative_prompt ?? '', body.input ?? '']).join('\n')

function pictures(path: string, isForm: boolean): Service {
  return {
    protocols: OPENAI_KIND,
    ...(isForm && { read: readForm }),
    ceiling(call) {
      const each = STATES_TOKENS.test(call.model.name) ? MAX_STATED_TOKENS : TOKENS_PER_PICTURE
      const tokens = Math.min(each, call.model.maxOutputTokens ?? each)
      return {
        ...EMPTY_USAGE,
        input: call.estimatedInput,
        imageInput: isForm ? PICTURE_INPUT_TOKENS : 0,
        imageOutput: tokens * itemsAsked(call.body),
      }
    },
    request: isForm ? formRequest(path) : jsonRequest(path),
    async measure(answered, call, counter) {
      const items = itemsOf(answered, call)
      const usage = withPictures(statedUsage(answered.json))
      // Sold by the piece, a picture has no tokens to invent.
      const tokens = call.model.card.quotaType === 1 ? 0 : TOKENS_PER_PICTURE * items
      const estimate = usage ?? { ...EMPTY_USAGE, input: await counter.count(pictureText(call.body)), imageOutput: tokens }
      return { usage, estimate, items }
    },
  }
}

/** Pictures that came; an answer that does not list them brought those that were asked for. */
function itemsOf({ json, items }: Answered, call: AdmittedCall): number {
  if (items !== undefined && items > 0) return items
  return Array.isArray(json?.data) ? json.data.length : itemsAsked(call.body)
}

/** These operations write pictures only: output tokens that the upstream does not split are a picture's. */
function withPictures(usage: (Usage & UsageDetails) | undefined): (Usage & UsageDetails) | undefined {
  return usage && usage.imageOutput === 0 ? { ...usage, output: 0, imageOutput: usage.output } : usage
}

export const generations = pictures('/images/generations', false)
export const edits = pictures('/images/edits', true)
export const variations = pictures('/images/variations', true)
