import type { JsonObject } from '../../../../contract/json.ts'
import type { Block } from '../canonical.ts'
import { packSeal } from '../seal.ts'
import { marks } from './block.ts'
import { packCarry } from './carry.ts'
import type { ReasoningBlock } from './carry.ts'
import { callPart, mediaPart, ownExtension, reportBlock, resultPart, signaturePart } from './parts.ts'
import type { Report } from './parts.ts'
import { GEMINI } from './wire.ts'

/**
 * Writes the blocks of one candidate as parts. Seals of other makers are packed; those of thoughts also ride with the next call,
 * because clients give back calls but not thoughts (see carry.ts).
 */
export class AnswerPartsWriter {
  #toCarry: ReasoningBlock[] = []

  write(block: Block, parts: JsonObject[], report: Report): void {
    reportBlock(block, report)
    switch (block.type) {
      case 'text':
      case 'refusal':
        if (block.text !== '') parts.push({ text: block.text, ...ownExtension(block).members })
        break
      case 'media': {
        const part = mediaPart(block, report)
        if (part) parts.push(part)
        break
      }
      case 'reasoning':
        this.#reasoning(block, parts)
        break
      case 'call':
        parts.push(this.call(block))
        break
      case 'result':
        parts.push(resultPart(block, block.name ?? block.callId, true, report).part)
        break
      case 'foreign':
        if (block.from === GEMINI) parts.push(block.data)
        else report.losses.push({ path: report.path, reason: `a block only ${block.from} knows` })
        break
      default:
        block satisfies never
    }
  }

  #reasoning(block: ReasoningBlock, parts: JsonObject[]): void {
    const { marked, members } = ownExtension(block)
    const signature = this.signature(block)
    if (signature !== undefined && block.text === '' && block.seal?.by === GEMINI) signaturePart(parts, signature, marked[marks.apart])
    else if (signature !== undefined || block.text !== '') {
      parts.push({ text: block.text, thought: true, ...(signature !== undefined && { thoughtSignature: signature }), ...members })
    }
  }

  /** The signature of a whole thought, as Google's or packed; one of another maker is remembered for the next call. */
  signature(block: ReasoningBlock): string | undefined {
    if (!block.seal) return undefined
    if (block.seal.by === GEMINI) return block.seal.value
    this.#toCarry.push(block)
    return block.redacted ? packCarry([block]) : packSeal(block.seal, GEMINI)
  }

  /** A call with its own signature or, when it has none, with the thoughts that led to it. */
  call(block: Extract<Block, { type: 'call' }>): JsonObject {
    const part = callPart(block)
    const carried = this.#toCarry
    this.#toCarry = []
    const signature = block.seal ? packSeal(block.seal, GEMINI) : carried.length > 0 ? packCarry(carried) : undefined
    return signature === undefined ? part : { ...part, thoughtSignature: signature }
  }
}
