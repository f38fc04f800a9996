import { EMPTY_USAGE, totalInput } from '../../contract/meters.ts'
import type { Asked } from '../relay/probe/try-model.ts'

/** Any model worth selling knows it; a copy that is cut down, or a fixed answer, often does not. */
export const QUESTION = 'What is 17 times 23, minus 9? Reply with the number only.'
const ANSWER = /(?<!\d)382(?!\d)/

/** The question is some 25 tokens in every tokenizer; vendors add a few. Far more is a prompt that somebody put before it. */
const MOST_INPUT = 120
/** The answer is a few tokens; what a model thinks before it comes on top, up to what it may say at all. */
const MOST_OUTPUT = 512

/** Reasons to doubt that an upstream is the model it claims to be; none is no proof. */
export function judgeCanary({ text, usage }: Asked): string[] {
  const doubts: string[] = []
  if (!ANSWER.test(text)) doubts.push('it does not know a simple sum')
  if (usage.input === undefined || usage.output === undefined) doubts.push('it does not say what was used')
  else {
    const input = totalInput({ ...EMPTY_USAGE, ...usage })
    if (input === 0 || input > MOST_INPUT) doubts.push(`it counts ${input} tokens in a question of about 25`)
    if (usage.output === 0 || usage.output > MOST_OUTPUT) doubts.push(`it counts ${usage.output} tokens in an answer of a few`)
  }
  return doubts
}
