import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../../contract/json.ts'
import { WireError } from '../protocol.ts'
import { countAnswer, countedRequest, embeddedTexts, embeddingAnswer, gemini } from './index.ts'
import { ours } from './test-kit.ts'

describe('road', () => {
  const path = { model: 'models/gemini-3-flash', action: 'streamGenerateContent' }

  test('peek reads what routing needs, in both spellings', () => {
    expect(gemini.peek({ generationConfig: { maxOutputTokens: 5, candidateCount: 2 } }, path)).toEqual({
      model: 'gemini-3-flash',
      stream: true,
      maxOutputTokens: 5,
      choices: 2,
      wantsUsage: true,
    })
    expect(gemini.peek({ generation_config: { max_output_tokens: 6 } }, { model: 'm', action: 'generateContent' })).toEqual({
      model: 'm',
      stream: false,
      maxOutputTokens: 6,
      choices: 1,
      wantsUsage: true,
    })
    expect(() => gemini.peek({}, {})).toThrow(WireError)
  })

  test('a body with nothing to change is the very same body', () => {
    const body = ours('request-agent.json')
    expect(gemini.patch(body, { model: 'up', stream: true })).toBe(body)
    expect(gemini.patch({ model: 'models/x', contents: [] }, { model: 'up', stream: true })).toEqual({ model: 'models/up', contents: [] })
  })

  test('seals of other makers are taken out of the talk, and told', () => {
    const body = {
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        {
          role: 'model',
          parts: [
            { text: '', thought: true, thoughtSignature: 'tg1.claude.c2ln' },
            { text: 'b', thoughtSignature: 'own' },
            { functionCall: { name: 'f' }, thought_signature: 'tg1.carry.W10' },
          ],
        },
      ],
    }
    const copy = structuredClone(body)
    const losses: { path: string; reason: string }[] = []
    expect(gemini.patch(body, { model: 'gemini-3-flash', stream: false, losses }).contents).toEqual([
      body.contents[0] ?? null,
      {
        role: 'model',
        parts: [
          { text: 'b', thoughtSignature: 'own' },
          { functionCall: { name: 'f' }, thoughtSignature: 'skip_thought_signature_validator' },
        ],
      },
    ])
    expect(losses.map((loss) => loss.path)).toEqual(['contents[1].parts[0].thoughtSignature', 'contents[1].parts[2].thoughtSignature'])
    expect(body).toEqual(copy)
  })

  test('the address has the model in one segment and never a key', () => {
    const url = (base: string, stream = false): string => gemini.endpoint(base, { model: 'a/b c', stream }).url
    for (const base of ['https://g.co', 'https://g.co/', 'https://g.co/v1beta', 'https://g.co/v1/'])
      expect(url(base)).toBe('https://g.co/v1beta/models/a%2Fb%20c:generateContent')
    expect(url('https://g.co/x', true)).toBe('https://g.co/x/v1beta/models/a%2Fb%20c:streamGenerateContent?alt=sse')
    expect(url('https://a.com/v1/publishers/google')).toBe('https://a.com/v1/publishers/google/models/a%2Fb%20c:generateContent')
    expect(gemini.endpoint('https://g.co', { model: 'm', stream: false }).headers('k')).toEqual({ 'x-goog-api-key': 'k' })
  })

  test('texts for counting hold what the model reads and writes, and no bytes', () => {
    expect(gemini.answerText(ours('answer.json'))).toBe('Two tools will do.I look **it** up.weather{"city":"Paris","days":[1,2]}clock{}1+1')
    const text = gemini.requestText(ours('request-agent.json'))
    for (const word of ['You are an agent.', 'What is in this', 'list_directory', '"pattern"', 'no such directory'])
      expect(text).toContain(word)
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
  test("Google's statuses mean what they say, in both forms", () => {
    const kind = (status: number, error: JsonObject): string => gemini.decodeError(status, { error }).kind
    expect(kind(400, { status: 'INVALID_ARGUMENT' })).toBe('invalid_request')
    expect(kind(400, { status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] })).toBe('authentication')
    expect(kind(403, { status: 'PERMISSION_DENIED' })).toBe('permission')
    expect(kind(404, { status: 'NOT_FOUND' })).toBe('not_found')
    expect(kind(500, { status: 'INTERNAL' })).toBe('upstream')
    expect(kind(503, { status: 'UNAVAILABLE' })).toBe('overloaded')
    expect(kind(504, { status: 'DEADLINE_EXCEEDED' })).toBe('timeout')
    expect(
      gemini.decodeError(429, [
        { error: { code: 429, message: 'slow', status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '34.07s' }] } },
      ]),
    ).toEqual({
      kind: 'rate_limit',
      status: 429,
      message: 'slow',
      code: 'RESOURCE_EXHAUSTED',
      retryAfterSeconds: 35,
    })
    expect(gemini.decodeError(502, undefined)).toMatchObject({ kind: 'upstream', status: 502 })
    expect(gemini.decodeError(401, '<html>')).toMatchObject({ kind: 'authentication', status: 502 })
  })

  test('an error inside a success is one, an answer is none', () => {
    expect(gemini.bodyFault?.({ error: { code: 429, message: 'm' } })).toMatchObject({ kind: 'rate_limit' })
    expect(gemini.bodyFault?.(ours('answer.json'))).toBeUndefined()
    expect(() => gemini.decodeResponse({ error: {} })).toThrow(WireError)
  })

  test("our faults are Google's error objects", () => {
    expect(
      gemini.encodeError(
        {
          kind: 'not_found',
          status: 404,
          message: 'The model does not exist',
          code: 'model_not_found',
          param: 'model',
          retryAfterSeconds: 2,
        },
        'r1',
      ),
    ).toEqual({
      status: 404,
      body: {
        error: {
          code: 404,
          message: 'The model does not exist',
          status: 'NOT_FOUND',
          details: [
            { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'MODEL_NOT_FOUND', domain: 'tollgate' },
            { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'r1' },
            {
              '@type': 'type.googleapis.com/google.rpc.BadRequest',
              fieldViolations: [{ field: 'model', description: 'The model does not exist' }],
            },
            { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' },
          ],
        },
      },
    })
    const name = (status: number): unknown =>
      (gemini.encodeError({ kind: 'internal', status, message: '' }, 'r').body.error as JsonObject).status
    expect([400, 401, 402, 403, 413, 429, 500, 502, 503, 504].map(name)).toEqual([
      'INVALID_ARGUMENT',
      'UNAUTHENTICATED',
      'RESOURCE_EXHAUSTED',
      'PERMISSION_DENIED',
      'INVALID_ARGUMENT',
      'RESOURCE_EXHAUSTED',
      'INTERNAL',
      'UNAVAILABLE',
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
    ])
  })
})
