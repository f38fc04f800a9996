import { describe, expect, test } from 'bun:test'
import type { Block, Fault } from '../canonical.ts'
import { packSeal } from '../seal.ts'
import { claude } from './index.ts'
import { CALL } from './test-kit.ts'

describe('errors', () => {
  const rows: [number, string, Fault['kind'], number][] = [
    [400, 'invalid_request_error', 'invalid_request', 400],
    [401, 'authentication_error', 'authentication', 401],
    [402, 'billing_error', 'insufficient_balance', 402],
    [403, 'permission_error', 'permission', 403],
    [404, 'not_found_error', 'not_found', 404],
    [413, 'request_too_large', 'too_large', 413],
    [429, 'rate_limit_error', 'rate_limit', 429],
    [500, 'api_error', 'upstream', 500],
    [504, 'timeout_error', 'timeout', 504],
    [529, 'overloaded_error', 'overloaded', 529],
  ]
  for (const [status, type, kind, shown] of rows) {
    test(`${type} is read and written with ${status}`, () => {
      const body = { type: 'error', error: { type, message: 'why' }, request_id: 'req_1' }
      const fault = claude.decodeError(status, body)
      expect(fault).toMatchObject({ kind, status, message: 'why' })
      expect(claude.encodeError(fault, 'req_1')).toEqual({ status: shown, body })
    })
  }

  test("an overload of another maker has Anthropic's status, a policy's its own kind of error", () => {
    expect(claude.encodeError({ kind: 'overloaded', status: 503, message: 'x' }, 'r').status).toBe(529)
    const type = (status: number) => claude.encodeError({ kind: 'content_policy', status, message: 'x' }, 'r').body.error
    expect([type(403), type(400)]).toMatchObject([{ type: 'permission_error' }, { type: 'invalid_request_error' }])
  })

  test('a type that vendors write over everything says less than the status', () => {
    const body = (type: string) => ({ type: 'error', error: { type, message: 'why' } })
    expect(claude.decodeError(429, body('invalid_request_error'))).toMatchObject({ kind: 'rate_limit', status: 429 })
    expect(claude.decodeError(503, body('api_error'))).toMatchObject({ kind: 'unavailable', status: 503 })
    expect(claude.decodeError(400, body('rate_limit_error'))).toMatchObject({ kind: 'rate_limit', status: 400 })
  })

  test('a status without an error object still says what it is', () => {
    expect(claude.decodeError(503, undefined)).toMatchObject({ kind: 'unavailable', status: 503 })
    expect(claude.decodeError(418, '<html>')).toMatchObject({ kind: 'invalid_request', status: 418 })
    expect(claude.decodeError(200, { type: 'error', error: { type: 'api_error' } })).toMatchObject({ kind: 'upstream', status: 500 })
  })

  test('after the first byte are an error event', () => {
    const [frame] = claude.encodeStreamError({ kind: 'timeout', status: 504, message: 'slow' }, 'req_2')
    expect(frame).toEqual({
      event: 'error',
      data: '{"type":"error","error":{"type":"timeout_error","message":"slow"},"request_id":"req_2"}',
    })
  })
})

describe('a whole answer of another maker, written', () => {
  test('loses by name what a Claude answer cannot say', () => {
    const content: Block[] = [
      { type: 'media', mediaType: 'image/png', data: { base64: 'AA==' } },
      { type: 'refusal', text: 'No.' },
      { type: 'foreign', from: 'gemini', data: {} },
      { type: 'call', id: 'a', name: 'ls', input: '{"a":1}', seal: { by: 'gemini', value: 's' } },
    ]
    const { body, losses } = claude.encodeResponse(
      {
        id: '',
        model: 'up',
        ext: { 'openai-chat': { citations_index: 'fp' } },
        choices: [
          { index: 0, content, finish: { reason: 'tool_calls' }, logprobs: { content: [] } },
          { index: 1, content: [], finish: { reason: 'stop' } },
        ],
      },
      CALL,
    )
    expect(losses.map((loss) => loss.path)).toEqual(['citations_index', 'choices[1]', 'logprobs', 'content[0]', 'content[2]'])
    expect(body).toMatchObject({
      id: 'msg_ours',
      type: 'message',
      role: 'assistant',
      model: 'house-model',
      stop_reason: 'tool_use',
      stop_sequence: null,
    })
    expect(body.content).toEqual([
      { type: 'text', text: 'No.' },
      { type: 'redacted_thinking', data: `${packSeal({ by: 'gemini', value: 's' }, 'claude')}.a` },
      { type: 'tool_use', id: 'a', name: 'ls', input: { a: 1 } },
    ])
    expect(claude.decodeResponse(body).choices[0]?.content).toEqual([{ type: 'text', text: 'No.' }, content[3] as Block])
  })
})
