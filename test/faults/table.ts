import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { MAX_ANSWER_BYTES } from '../../server/relay/limits.ts'
import type { EndReason } from '../../server/features/billing/rules.ts'
import { MAX_EVENT_CHARS } from '../../server/relay/protocols/sse.ts'
import type { DeadEnd } from '../upstream/dead-ends.ts'
import { blackHole, refusingPort, selfSigned, unknownName } from '../upstream/dead-ends.ts'
import type { Line } from '../upstream/fault-proxy.ts'
import type { Step } from '../upstream/raw.ts'
import type { Reply, Script, Wire } from '../upstream/script.ts'
import { ANSWER, bodyOf, bytesInside, framesInside, speakers, typeOf, usageSoFar, usageTwice, usageWords } from './spoil.ts'

/** What must become of a call. */
export type Verdict =
  /** Nothing reached the client: his SDK throws this status, or another channel answers. `final`: no other is asked. */
  | { refused: number; end: EndReason; final?: true }
  /** It broke in the client's hands: the SDK throws, no other channel is asked. */
  | { broken: EndReason }
  /** Delivered whole. `usage`: where the charge comes from. */
  | { whole: 'upstream' | 'estimated' }

/** One fault in one protocol's words. */
export interface Doing {
  /** What the scripted provider does. */
  script?: Script
  /** What the line in between does. */
  line?: Line
  /** Bytes instead of a provider. */
  raw?: readonly Step[]
  /** An address where no provider is. */
  address?: () => DeadEnd | Promise<DeadEnd>
  /** It is waited for in vain: the channel's limit of a first byte is one second. */
  waits?: true
  verdict: Verdict
  /** What is said, when it is not the usual. */
  text?: string
}

/** R1: promises.md 2.2. */
export interface Fault {
  name: string
  of(wire: Wire, stream: boolean): Doing
}

const failed: Verdict = { refused: 502, end: 'upstream_error_before_content' }
const unavailable: Verdict = { refused: 503, end: 'upstream_error_before_content' }
const late: Verdict = { refused: 504, end: 'timeout_before_content' }
const broke: Verdict = { broken: 'upstream_error_after_content' }

/** The same in all protocols, streamed or not. */
const always = (name: string, doing: Doing): Fault => ({ name, of: () => doing })
const answers = (status: number, verdict: Verdict, headers?: Record<string, string>, name = String(status)): Fault =>
  always(name, { script: { error: { status, message: 'the upstream says no', ...(headers && { headers }) } }, verdict })
const replies = (name: string, reply: Reply, verdict: Verdict): Fault => always(name, { script: { reply }, verdict })
/** Inside an answer: a stream breaks in the client's hands, a whole answer was never his. */
const inside = (name: string, then: 'reset' | 'fin'): Fault => ({
  name,
  of: (wire, stream) => ({
    script: { answer: ANSWER },
    line: { at: { body: stream ? bytesInside(wire) : 30 }, then },
    verdict: stream ? broke : failed,
  }),
})
const usage = (name: string, of: (wire: Wire) => [number | string, number | string]): Fault => ({
  name,
  of: (wire) => ({ script: { answer: { ...ANSWER, usage: usageWords(wire, ...of(wire)) } }, verdict: { whole: 'estimated' } }),
})

const html = '<!doctype html><html><body>Sign in</body></html>'
const BIG = 'lorem ipsum '.repeat(175_000)
const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
/** Small on the line, larger than anything we keep in memory. */
const bombs = {
  whole: gzipSync(`{"a":"${'a'.repeat(MAX_ANSWER_BYTES)}`),
  stream: brotliCompressSync(`data: ${'a'.repeat(MAX_EVENT_CHARS)}`, fast),
}

export const faults: readonly Fault[] = [
  always('refused connection', { address: refusingPort, verdict: failed }),
  always('a name DNS does not know', { address: () => unknownName, verdict: failed }),
  always('a certificate nobody vouches for', { address: selfSigned, verdict: failed }),
  always('a connection that never comes about', { address: blackHole, waits: true, verdict: late }),
  always('reset before the headers', { line: { at: 'first-byte', then: 'reset' }, verdict: failed }),
  always('reset after the headers', { line: { at: 'body', then: 'reset' }, verdict: failed }),
  inside('reset in the body', 'reset'),
  inside('closed in the middle of a chunk', 'fin'),
  always('headers that stall', { line: { at: { head: 20 }, then: 'stall' }, waits: true, verdict: late }),
  always('a first byte that never comes', { line: { at: 'body', then: 'stall' }, waits: true, verdict: late }),
  {
    name: 'silence in the middle',
    of: (wire, stream) => ({
      script: { answer: ANSWER },
      line: { at: { body: stream ? bytesInside(wire) : 30 }, then: 'stall' },
      waits: true,
      verdict: stream ? { broken: 'timeout_after_content' } : late,
    }),
  },
  always('a drip', { script: { answer: ANSWER }, line: { bytes: 16, everyMs: 1 }, verdict: { whole: 'upstream' } }),
  answers(400, { refused: 400, end: 'upstream_error_before_content', final: true }),
  answers(401, unavailable),
  answers(403, unavailable),
  answers(404, failed),
  answers(408, late),
  answers(413, { refused: 413, end: 'upstream_error_before_content', final: true }),
  answers(429, unavailable, { 'retry-after': '3' }, '429 with Retry-After'),
  answers(429, unavailable, undefined, '429 without Retry-After'),
  answers(500, failed),
  replies('502 in HTML', { status: 502, headers: { 'content-type': 'text/html' }, body: html }, failed),
  answers(503, unavailable),
  answers(529, unavailable),
  replies('200 in HTML', { headers: { 'content-type': 'text/html' }, body: html }, failed),
  replies('200 with broken JSON', { body: '{"id":"x","choices":[{' }, failed),
  replies('200 with nothing', { body: '' }, failed),
  {
    name: '200 with an error object',
    of: (wire) => ({ script: { reply: { body: speakers[wire].error(500, 'the pool is empty') } }, verdict: failed }),
  },
  {
    name: 'an error inside the answer',
    of: (wire, stream) =>
      stream
        ? { script: { answer: ANSWER, cut: { after: framesInside(wire), how: 'error' } }, verdict: broke }
        : {
            script: { reply: { body: { ...(JSON.parse(bodyOf(wire, false)) as object), ...speakers[wire].error(500, 'stumbled') } } },
            verdict: failed,
          },
  },
  always('no usage', { script: { answer: { ...ANSWER, usage: 'missing' } }, verdict: { whole: 'estimated' } }),
  usage('usage of zero', () => [0, 0]),
  usage(
    'usage that cannot be',
    (wire) => ({ chat: [-5, 8], responses: [12, 1e15], claude: ['NaN', 2 ** 63], gemini: [1e15, -7] })[wire] as [number, number],
  ),
  { name: 'usage twice', of: (wire, stream) => ({ script: { reply: usageTwice(wire, stream) }, verdict: { whole: 'upstream' } }) },
  {
    name: 'usage so far in every chunk',
    of: (wire, stream) => ({ script: { reply: usageSoFar(wire, stream) }, verdict: { whole: 'upstream' } }),
  },
  {
    name: 'no end marker',
    of: (wire, stream) =>
      stream
        ? { script: { answer: ANSWER, cut: { after: framesInside(wire), how: 'end' } }, verdict: broke }
        : { script: { reply: { body: bodyOf(wire, false).slice(0, -20) } }, verdict: failed },
  },
  {
    // A whole answer is read for what it is; a stream that is called something else is no stream to anybody's parser.
    name: 'a wrong content type',
    of: (wire, stream) => ({
      script: { reply: { headers: { 'content-type': stream ? 'application/json' : 'text/html' }, body: bodyOf(wire, stream) } },
      verdict: stream ? failed : { whole: 'upstream' },
    }),
  },
  {
    name: 'a content length that is too short',
    of: (wire, stream) => {
      const body = bodyOf(wire, stream)
      const length = stream ? body.indexOf('\n\n', body.indexOf('hree')) + 20 : 30
      const head = `HTTP/1.1 200 OK\r\ncontent-type: ${typeOf(stream)}\r\ncontent-length: ${length}\r\n\r\n`
      return { raw: [{ send: head + body }, { waitMs: 20 }, { then: 'fin' }], verdict: stream ? broke : failed }
    },
  },
  replies('a redirect to this machine', { status: 302, headers: { location: 'http://127.0.0.1:1/v1/chat/completions' }, body: '' }, failed),
  {
    // The runtime itself gives up a body that unpacks to so much.
    name: 'a compressed bomb',
    of: (_, stream) => ({
      script: {
        reply: {
          headers: { 'content-type': typeOf(stream), 'content-encoding': stream ? 'br' : 'gzip' },
          body: stream ? bombs.stream : bombs.whole,
        },
      },
      verdict: failed,
    }),
  },
  always('one event of 2 MiB', { script: { answer: { parts: [{ text: BIG }] }, pieces: 1 }, text: BIG, verdict: { whole: 'upstream' } }),
  {
    name: 'a stream where none was asked for, or the reverse',
    of: (wire, stream) => ({
      script: { reply: { headers: { 'content-type': typeOf(!stream) }, body: bodyOf(wire, !stream) } },
      verdict: failed,
    }),
  },
]
