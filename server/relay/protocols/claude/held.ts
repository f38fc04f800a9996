import { isObject, type JsonObject } from '../../../../contract/json.ts'
import { parseObject } from './wire.ts'

/**
 * A streamed block we have no name for (a server tool's use or result, a compaction), gathered until it closes. Its deltas are
 * put together as the SDKs do: text and thoughts appended, JSON pieces parsed at the end, citations listed.
 */
export class HeldBlock {
  private readonly data: JsonObject
  private json = ''

  constructor(data: JsonObject) {
    this.data = { ...data }
  }

  /** @returns false for a kind of delta nobody knows how to put in */
  add(delta: JsonObject): boolean {
    switch (delta.type) {
      case 'input_json_delta':
        if (typeof delta.partial_json === 'string') this.json += delta.partial_json
        return true
      case 'text_delta':
        return this.append('text', delta.text)
      case 'thinking_delta':
        return this.append('thinking', delta.thinking)
      case 'signature_delta':
        this.data.signature = delta.signature
        return true
      case 'citations_delta':
        if (delta.citation === undefined) return false
        this.data.citations = [...(Array.isArray(this.data.citations) ? this.data.citations : []), delta.citation]
        return true
      case 'compaction_delta':
        if (typeof delta.encrypted_content === 'string') this.data.encrypted_content = delta.encrypted_content
        if (typeof delta.content === 'string') this.append('content', delta.content)
        return true
      default:
        return false
    }
  }

  whole(): JsonObject {
    if (this.json.trim() === '') return this.data
    const input = parseObject(this.json)
    // Pieces that make no object are kept as they came, so that nothing the model wrote is lost.
    return { ...this.data, input: input ?? this.json }
  }

  private append(member: string, piece: JsonObject['']): boolean {
    if (typeof piece !== 'string') return false
    const before = this.data[member]
    this.data[member] = typeof before === 'string' ? before + piece : piece
    return true
  }
}

/** One block as the start, the deltas and nothing in between that a stream would have told it with. */
export function unfold(block: JsonObject): { start: JsonObject; deltas: JsonObject[] } {
  if (isObject(block.input)) {
    const json = JSON.stringify(block.input)
    return { start: { ...block, input: {} }, deltas: json === '{}' ? [] : [{ type: 'input_json_delta', partial_json: json }] }
  }
  if (block.type === 'compaction') {
    const sealed = block.encrypted_content === undefined ? {} : { encrypted_content: block.encrypted_content }
    const start = { ...block, content: null, ...(block.encrypted_content === undefined ? {} : { encrypted_content: null }) }
    return { start, deltas: [{ type: 'compaction_delta', content: block.content ?? null, ...sealed }] }
  }
  return { start: block, deltas: [] }
}
