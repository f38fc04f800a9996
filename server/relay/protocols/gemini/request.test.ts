import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { packSeal } from '../seal.ts'
import { packCarry } from './carry.ts'
import { gemini } from './index.ts'
import { ours, turn } from './test-kit.ts'

const PATH = { model: 'gemini-3-flash', action: 'streamGenerateContent' }

function decode(body: JsonObject): ReturnType<typeof gemini.decodeRequest> {
  return gemini.decodeRequest(body, PATH)
}

describe('a request of its own comes back as it was', () => {
  for (const name of ['request-agent.json', 'request-everything.json', 'request-empty.json']) {
    test(name, () => {
      const body = ours(name)
      const again = gemini.encodeRequest(decode(body))
      expect(again.losses).toEqual([])
      expect(again.body).toEqual(body)
    })
  }

  test('snake_case comes back in camelCase and means the same', () => {
    const decoded = decode(ours('request-snake.json'))
    expect(decoded.tools).toMatchObject([
      { type: 'function', name: 'draw_it', schema: { properties: { line_width: { type: 'number' } } } },
      { type: 'foreign', data: { googleSearch: {} } },
    ])
    expect(decoded.maxOutputTokens).toBe(64)
    expect(decoded.reasoning).toEqual({ adaptive: true })
    expect(decoded.toolChoice).toEqual({ type: 'tool', name: 'draw_it' })
    const { body, losses } = gemini.encodeRequest(decoded)
    expect(losses).toEqual([])
    expect(body.safetySettings).toBeArray()
    expect((body.contents as JsonObject[])[1]).toEqual({
      role: 'model',
      parts: [{ functionCall: { name: 'draw_it', args: { line_width: 2 } }, thoughtSignature: 'c2ln' }],
    })
    expect(decode(body)).toEqual({ ...decoded })
  })
})

describe('decoding', () => {
  test('model and stream come from the URL, and models/ is no part of the name', () => {
    const decoded = gemini.decodeRequest(
      { model: 'models/other', contents: 'hi' },
      { model: 'models/gemini-3-flash', action: 'generateContent' },
    )
    expect(decoded).toMatchObject({
      model: 'gemini-3-flash',
      stream: false,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    })
  })

  test('answers without ids belong to the first open call of their name, in order', () => {
    const { messages } = decode(ours('request-agent.json'))
    const calls = messages[1]?.content.filter((block) => block.type === 'call') ?? []
    const results = messages[2]?.content.filter((block) => block.type === 'result') ?? []
    expect(calls.map((call) => call.id)).toEqual(['call_1_3', 'call_1_4', 'fc-7'])
    expect(results.map((result) => result.callId)).toEqual(['call_1_3', 'call_1_4', 'fc-7'])
    expect(results.map((result) => result.isError)).toEqual([false, true, false])
    expect(results[2]?.content).toMatchObject([
      { type: 'text', text: '{"hour":12,"zone":{"name":"UTC"}}' },
      { type: 'media', mediaType: 'image/png', name: 'clock.png' },
    ])
  })

  test('a call of an earlier turn that was never answered takes no later answer', () => {
    const { messages } = decode({
      contents: [
        { role: 'model', parts: [{ functionCall: { name: 'a' } }] },
        { role: 'user', parts: [{ text: 'never mind' }] },
        { role: 'model', parts: [{ functionCall: { name: 'a' } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'a', response: {} } }] },
      ],
    })
    expect(messages[3]?.content[0]).toMatchObject({ callId: 'call_2_0' })
  })

  test('thoughts of another maker come back once, whole, however they were given back', () => {
    const seal = { by: 'claude', value: 'sig' }
    const carried = packCarry([{ type: 'reasoning', text: 'I think', seal }]) ?? ''
    const call = { functionCall: { name: 'a', id: 'toolu_1', args: {} }, thoughtSignature: carried }
    const thought = { type: 'reasoning' as const, text: 'I think', seal }
    const streamed = [
      { text: 'I ', thought: true },
      { text: 'think', thought: true },
      { text: '', thought: true, thoughtSignature: packSeal(seal, 'gemini') },
    ]
    for (const parts of [
      [call],
      [...streamed, call],
      [{ text: 'I think', thought: true, thoughtSignature: packSeal(seal, 'gemini') }, call],
    ]) {
      const { messages } = decode({ contents: [{ role: 'model', parts }] })
      expect(messages[0]?.content).toEqual([thought, { type: 'call', id: 'toolu_1', name: 'a', input: '{}' }])
    }
  })

  test('what cannot be understood is refused with a word for the caller', () => {
    expect(() => decode({})).toThrow('contents are required')
    expect(() => decode({ contents: [7] })).toThrow('contents[0] must be an object')
    expect(() => gemini.decodeRequest({ contents: 'x' }, {})).toThrow('Model not specified')
  })
})

describe('what Gemini asks and others must know', () => {
  test('an OpenAPI schema is JSON Schema in the turn', () => {
    expect(decode(ours('request-everything.json')).tools[0]).toMatchObject({
      schema: {
        type: 'object',
        required: ['size'],
        properties: {
          size: { type: ['integer', 'null'], format: 'int32', minimum: 1 },
          kind: { type: 'string', enum: ['x', 'y'] },
          list: { type: 'array', items: { type: 'string' }, minItems: 1 },
        },
      },
    })
  })

  test('a schema that refers to itself ends', () => {
    const loop = { type: 'object', properties: { next: { $ref: '#' }, both: { allOf: [{ $ref: '#' }, { $ref: '#/x' }] } } }
    const { body } = gemini.encodeRequest(turn({ model: 'gemini-1.5-pro', tools: [{ type: 'function', name: 'a', schema: loop }] }))
    expect(body.tools).toBeArrayOfSize(1)
    const doubling = { allOf: [{ $ref: '#' }, { $ref: '#' }] }
    expect(
      gemini.encodeRequest(turn({ model: 'gemini-1.5-pro', output: { type: 'json_schema', schema: doubling } })).body.generationConfig,
    ).toBeObject()
  })
})
