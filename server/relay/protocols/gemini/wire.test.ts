import { describe, expect, test } from 'bun:test'
import { EMPTY_USAGE, totalInput, totalOutput } from '../../../../contract/meters.ts'
import type { JsonObject } from '../../../../contract/json.ts'
import { mergeTapUsage } from '../merge-usage.ts'
import { WireError } from '../protocol.ts'
import type { Frame } from '../protocol.ts'
import { countAnswer, countedRequest, embeddedTexts, embeddingAnswer, gemini } from './index.ts'
import { fixtures, framesOf, ours, oursFrames, run } from './test-kit.ts'
import { CALL } from './test-kit.ts'
import { readFileSync } from 'node:fs'

describe('usage', () => {
  const usage = (usageMetadata: JsonObject): unknown => gemini.usage({ usageMetadata })

  test('meters are disjoint: the cache, modalities, thoughts and tool prompts each count once', () => {
    expect(gemini.usage(ours('answer.json'))).toEqual({
      input: 383, cachedInput: 300, cacheWrite: 0, cacheWrite1h: 0, imageInput: 200, audioInput: 142, output: 90, imageOutput: 10, audioOutput: 0, reasoning: 40,
    })
  })

  test('meters sum to the provider\'s own total, in every fixture', () => {
    const bodies = fixtures('.json').map(({ path }) => JSON.parse(readFileSync(path, 'utf8')))
    for (const { path } of fixtures('.chunks.txt')) bodies.push(...framesOf(path).slice(-1).map((frame) => JSON.parse(frame.data)))
    for (const body of bodies.filter((row) => row.usageMetadata?.totalTokenCount !== undefined)) {
      const read = gemini.usage(body) ?? EMPTY_USAGE
      expect(totalInput(read) + totalOutput(read)).toBe(body.usageMetadata.totalTokenCount)
    }
  })

  test('thoughts that a server in between counted into the candidates are not counted twice', () => {
    expect(usage({ promptTokenCount: 10, candidatesTokenCount: 50, thoughtsTokenCount: 30, totalTokenCount: 60 })).toMatchObject({ input: 10, output: 50, reasoning: 30 })
  })

  test('absurd counts count as absent, and no meter is ever negative', () => {
    expect(usage({ promptTokenCount: -1, candidatesTokenCount: 5 })).toBeUndefined()
    expect(usage({ promptTokenCount: 2 ** 60, candidatesTokenCount: 5 })).toBeUndefined()
    expect(usage({ promptTokenCount: 5, cachedContentTokenCount: 9, candidatesTokenCount: 'x', promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 50 }] })).toMatchObject({ input: 0, cachedInput: 5, imageInput: 0 })
    expect(usage({ trafficType: 'ON_DEMAND' })).toBeUndefined()
    expect(usage({ promptTokenCount: 5, totalTokenCount: 9 })).toMatchObject({ input: 5, output: 4 })
  })

  test('meters that were written are read back the same', () => {
    const meters = { ...EMPTY_USAGE, input: 10, cachedInput: 4, imageInput: 3, audioInput: 2, output: 20, imageOutput: 5, audioOutput: 1, reasoning: 6 }
    const { body } = gemini.encodeResponse({ id: 'i', model: 'm', choices: [], usage: meters }, CALL)
    expect(gemini.usage(body)).toEqual(meters)
  })
})

describe('tap', () => {
  test('text, usage and the end of every stream are those of the decoder', () => {
    for (const { path } of fixtures('.chunks.txt')) {
      const merged = {}
      let text = ''
      let ended = 0
      const frames = framesOf(path)
      frames.forEach((frame, index) => {
        const found = gemini.tap(frame)
        mergeTapUsage(merged, found)
        text += found.text
        if (found.end) ended = index + 1
      })
      const last = run(gemini.decodeStream(), frames).findLast((event) => event.type === 'usage')
      expect<unknown>({ ...EMPTY_USAGE, ...merged }).toEqual(last?.usage)
      expect(ended).toBe(frames.length)
      expect(text.length).toBeGreaterThan(5)
    }
  })

  test('content is what a customer can use; a signature alone is none', () => {
    const tap = (part: JsonObject): boolean => gemini.tap({ data: JSON.stringify({ candidates: [{ content: { parts: [part] } }] }) }).content
    expect([tap({ text: 'a' }), tap({ text: '', thoughtSignature: 's' }), tap({ functionCall: { name: 'f' } }), tap({ inlineData: {} })]).toEqual([true, false, true, true])
  })

  test('a reason without counts, or one of several candidates, is not the end', () => {
    expect(gemini.tap({ data: '{"candidates":[{"finishReason":"STOP"}]}' })).toEqual({ text: '', content: false, finish: 'STOP' })
    expect(gemini.tap({ data: '{"candidates":[{"finishReason":"STOP","index":1}],"usageMetadata":{"promptTokenCount":1}}' }).end).toBeUndefined()
  })

  test('an error chunk is a fault, junk is nothing', () => {
    expect(gemini.tap({ data: '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"slow"}}' }).fault).toMatchObject({ kind: 'rate_limit', status: 429 })
    for (const data of ['', '[DONE]', '{', 'null', '7', '[]', '{"candidates":[null,{"content":{"parts":7}}]}']) expect(gemini.tap({ data })).toEqual({ text: '', content: false })
  })
})

describe('road', () => {
  const path = { model: 'models/gemini-3-flash', action: 'streamGenerateContent' }

  test('peek reads what routing needs, in both spellings', () => {
    expect(gemini.peek({ generationConfig: { maxOutputTokens: 5, candidateCount: 2 } }, path)).toEqual({ model: 'gemini-3-flash', stream: true, maxOutputTokens: 5, choices: 2, wantsUsage: true })
    expect(gemini.peek({ generation_config: { max_output_tokens: 6 } }, { model: 'm', action: 'generateContent' })).toEqual({ model: 'm', stream: false, maxOutputTokens: 6, choices: 1, wantsUsage: true })
    expect(() => gemini.peek({}, {})).toThrow(WireError)
  })

  test('a body with nothing to change is the very same body', () => {
    const body = ours('request-agent.json')
    expect(gemini.patch(body, { model: 'up', stream: true })).toBe(body)
    expect(gemini.patch({ model: 'models/x', contents: [] }, { model: 'up', stream: true })).toEqual({ model: 'models/up', contents: [] })
  })

  test('seals of other makers are taken out of the talk, and told', () => {
    const body = { contents: [{ role: 'user', parts: [{ text: 'a' }] }, { role: 'model', parts: [
      { text: '', thought: true, thoughtSignature: 'tg1.claude.c2ln' }, { text: 'b', thoughtSignature: 'own' }, { functionCall: { name: 'f' }, thought_signature: 'tg1.carry.W10' },
    ] }] }
    const copy = structuredClone(body)
    const losses: { path: string; reason: string }[] = []
    expect(gemini.patch(body, { model: 'gemini-3-flash', stream: false, losses }).contents).toEqual([body.contents[0] ?? null, { role: 'model', parts: [
      { text: 'b', thoughtSignature: 'own' }, { functionCall: { name: 'f' }, thoughtSignature: 'skip_thought_signature_validator' },
    ] }])
    expect(losses.map((loss) => loss.path)).toEqual(['contents[1].parts[0].thoughtSignature', 'contents[1].parts[2].thoughtSignature'])
    expect(body).toEqual(copy)
  })

  test('the address has the model in one segment and never a key', () => {
    const url = (base: string, stream = false): string => gemini.endpoint(base, { model: 'a/b c', stream }).url
    for (const base of ['https://g.co', 'https://g.co/', 'https://g.co/v1beta', 'https://g.co/v1/']) expect(url(base)).toBe('https://g.co/v1beta/models/a%2Fb%20c:generateContent')
    expect(url('https://g.co/x', true)).toBe('https://g.co/x/v1beta/models/a%2Fb%20c:streamGenerateContent?alt=sse')
    expect(url('https://a.com/v1/publishers/google')).toBe('https://a.com/v1/publishers/google/models/a%2Fb%20c:generateContent')
    expect(gemini.endpoint('https://g.co', { model: 'm', stream: false }).headers('k')).toEqual({ 'x-goog-api-key': 'k' })
  })

  test('texts for counting hold what the model reads and writes, and no bytes', () => {
    expect(gemini.answerText(ours('answer.json'))).toBe('Two tools will do.I look **it** up.weather{"city":"Paris","days":[1,2]}clock{}1+1')
    const text = gemini.requestText(ours('request-agent.json'))
    for (const word of ['You are an agent.', 'What is in this', 'list_directory', '"pattern"', 'no such directory']) expect(text).toContain(word)
    expect(text).not.toContain('iVBOR')
    expect(gemini.requestText(ours('request-snake.json'))).toContain('line_width')
  })

  test('counting and embedding calls', () => {
    expect(countedRequest({ generate_content_request: { contents: 'x' } })).toEqual({ contents: 'x' })
    expect(() => countedRequest({})).toThrow(WireError)
    expect(countAnswer(3)).toMatchObject({ totalTokens: 3 })
    expect(embeddedTexts({ requests: [{ content: { parts: [{ text: 'a' }, { text: 'b' }] } }] })).toEqual(['a\nb'])
    expect(() => embeddedTexts({})).toThrow(WireError)
    expect(embeddingAnswer([[1, 2]], false)).toEqual({ embedding: { values: [1, 2] } })
    expect(embeddingAnswer([[1], [2]], true)).toEqual({ embeddings: [{ values: [1] }, { values: [2] }] })
  })
})

describe('errors', () => {
  test('Google\'s statuses mean what they say, in both forms', () => {
    const kind = (status: number, error: JsonObject): string => gemini.decodeError(status, { error }).kind
    expect(kind(400, { status: 'INVALID_ARGUMENT' })).toBe('invalid_request')
    expect(kind(400, { status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] })).toBe('authentication')
    expect(kind(403, { status: 'PERMISSION_DENIED' })).toBe('permission')
    expect(kind(404, { status: 'NOT_FOUND' })).toBe('not_found')
    expect(kind(500, { status: 'INTERNAL' })).toBe('upstream')
    expect(kind(503, { status: 'UNAVAILABLE' })).toBe('overloaded')
    expect(kind(504, { status: 'DEADLINE_EXCEEDED' })).toBe('timeout')
    expect(gemini.decodeError(429, [{ error: { code: 429, message: 'slow', status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '34.07s' }] } }])).toEqual({
      kind: 'rate_limit', status: 429, message: 'slow', code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: 35,
    })
    expect(gemini.decodeError(502, undefined)).toMatchObject({ kind: 'upstream', status: 502 })
    expect(gemini.decodeError(401, '<html>')).toMatchObject({ kind: 'authentication', status: 502 })
  })

  test('an error inside a success is one, an answer is none', () => {
    expect(gemini.bodyFault?.({ error: { code: 429, message: 'm' } })).toMatchObject({ kind: 'rate_limit' })
    expect(gemini.bodyFault?.(ours('answer.json'))).toBeUndefined()
    expect(() => gemini.decodeResponse({ error: {} })).toThrow(WireError)
  })

  test('our faults are Google\'s error objects', () => {
    expect(gemini.encodeError({ kind: 'not_found', status: 404, message: 'The model does not exist', code: 'model_not_found', param: 'model', retryAfterSeconds: 2 }, 'r1')).toEqual({ status: 404, body: { error: {
      code: 404, message: 'The model does not exist', status: 'NOT_FOUND', details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'MODEL_NOT_FOUND', domain: 'tollgate' },
        { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'r1' },
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'model', description: 'The model does not exist' }] },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' },
      ],
    } } })
    const name = (status: number): unknown => (gemini.encodeError({ kind: 'internal', status, message: '' }, 'r').body.error as JsonObject).status
    expect([400, 401, 402, 403, 413, 429, 500, 502, 503, 504].map(name)).toEqual(['INVALID_ARGUMENT', 'UNAUTHENTICATED', 'RESOURCE_EXHAUSTED', 'PERMISSION_DENIED',
      'INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'UNAVAILABLE', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'])
  })
})

describe('mutated input', () => {
  /** A small generator of its own, so that a failure can be repeated. */
  function dice(seed: number): (sides: number) => number {
    let state = seed
    return (sides) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * sides)
    }
  }

  const junk = [null, true, -1, 1e308, '', 'x', [], {}, [[]], [null], { parts: 7 }, '__proto__', { functionCall: { name: 1, partialArgs: [{ jsonPath: '$' }] } }, { text: 5, thought: true }]

  function mutate(value: unknown, roll: (sides: number) => number): unknown {
    if (roll(12) === 0) return structuredClone(junk[roll(junk.length)])
    if (Array.isArray(value)) {
      const items = value.map((item) => mutate(item, roll))
      if (roll(6) === 0) items.push(structuredClone(junk[roll(junk.length)]))
      return items
    }
    if (typeof value !== 'object' || value === null) return value
    const rows = Object.entries(value).filter(() => roll(20) !== 0)
    return Object.fromEntries(rows.map(([name, item]) => [roll(30) === 0 ? 'renamed' : name, mutate(item, roll)]))
  }

  test('nothing throws but WireError, on any road', () => {
    const roll = dice(7)
    const requests = fixtures('.json').filter(({ name }) => name.startsWith('request')).map(({ name }) => ours(name))
    const streams = ['answer.chunks.txt', 'partial-args.chunks.txt'].map(oursFrames)
    for (let round = 0; round < 600; round++) {
      for (const request of requests) {
        const body = mutate(request, roll) as JsonObject
        if (typeof body !== 'object' || body === null || Array.isArray(body)) continue
        tolerant(() => gemini.encodeRequest(gemini.decodeRequest(body, { model: 'gemini-3' })))
        tolerant(() => gemini.peek(body, {}))
        gemini.patch(body, { model: 'm', stream: true })
        gemini.requestText(body)
      }
      const answer = mutate(ours('answer.json'), roll) as JsonObject
      if (typeof answer === 'object' && answer !== null) {
        tolerant(() => gemini.encodeResponse(gemini.decodeResponse(answer), CALL))
        gemini.usage(answer)
        gemini.answerText(answer)
      }
      for (const stream of streams) {
        const frames: Frame[] = stream.map((frame) => {
          const data = JSON.stringify(mutate(JSON.parse(frame.data), roll)) ?? 'null'
          return { data: roll(10) === 0 ? data.slice(0, roll(data.length)) : data }
        })
        for (const frame of frames) gemini.tap(frame)
        run(gemini.encodeStream(CALL), run(gemini.decodeStream(), frames))
      }
    }
  })

  function tolerant(work: () => unknown): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
})
