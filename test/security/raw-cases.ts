/** A request as bytes, one character each, and what may become of it. */
export interface RawCase {
  readonly name: string
  readonly bytes: string
  /** `refused`: no handler ever saw it. `read`: a handler may see it, once, as this path. `either` of the two. */
  readonly may: 'refused' | 'read' | 'either'
  readonly path: string
  /** Answers to read: another request stands behind it, so that what is left of a body would be seen to be taken for a request. */
  readonly answers?: 2
  /** Whether it is enough to wait briefly: the server rightly waits for more. */
  readonly waits?: true
}

/** A request that must never be answered: it stands inside another one's body. */
export const INNER = 'GET /api/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
/** What follows on the same connection. */
const NEXT = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'
const PATHS = ['/v1/chat/completions', '/v1/messages', '/auth/password/login'] as const
const LISTS = ['/v1/models', '/api/users']
const HOST = 'Host: x'
const CHUNKED = 'Transfer-Encoding: chunked'

function request(path: string, lines: readonly string[], body = '', method = 'POST'): string {
  return `${method} ${path} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`

/** Where a request's body ends, said twice, oddly or wrongly. */
function framing(path: string): RawCase[] {
  const length = INNER.length
  const whole = chunk(INNER)
  const refused: [string, string[], string][] = [
    ['two lengths', [HOST, `Content-Length: ${length}`, 'Content-Length: 0'], INNER],
    ['two lengths, the first 0', [HOST, 'Content-Length: 0', `Content-Length: ${length}`], INNER],
    ['a list of lengths', [HOST, `Content-Length: 0, ${length}`], INNER],
    ['the same length as a list', [HOST, `Content-Length: ${length}, ${length}`], INNER],
    ['a length with a plus', [HOST, `Content-Length: +${length}`], INNER],
    ['a length below zero', [HOST, 'Content-Length: -1'], INNER],
    ['a length in hex', [HOST, `Content-Length: 0x${length.toString(16)}`], INNER],
    ['a length with a fraction', [HOST, `Content-Length: ${length}.0`], INNER],
    ['a length with an exponent', [HOST, 'Content-Length: 1e2'], INNER],
    ['a length of words', [HOST, 'Content-Length: ten'], INNER],
    ['an empty length', [HOST, 'Content-Length:'], INNER],
    ['a length beyond 64 bits', [HOST, 'Content-Length: 18446744073709551617'], INNER],
    ['a length with a space inside', [HOST, 'Content-Length: 1 0'], INNER],
    ['a length in quotes', [HOST, `Content-Length: "${length}"`], INNER],
    ['length and chunks', [HOST, `Content-Length: ${length}`, CHUNKED], whole],
    ['chunks and length', [HOST, CHUNKED, 'Content-Length: 4'], whole],
    ['chunks and length 0', [HOST, CHUNKED, 'Content-Length: 0'], whole],
    ['chunks twice', [HOST, CHUNKED, CHUNKED], whole],
    ['chunks in a list twice', [HOST, 'Transfer-Encoding: chunked, chunked'], whole],
    ['chunks, then identity', [HOST, 'Transfer-Encoding: chunked, identity'], whole],
    ['gzip and chunks', [HOST, 'Transfer-Encoding: gzip, chunked'], whole],
    ['identity', [HOST, 'Transfer-Encoding: identity'], INNER],
    ['a word like chunks', [HOST, 'Transfer-Encoding: xchunked'], whole],
    ['chunks with a parameter', [HOST, 'Transfer-Encoding: chunked;q=1'], whole],
    ['chunks in quotes', [HOST, 'Transfer-Encoding: "chunked"'], whole],
    ['an empty encoding', [HOST, 'Transfer-Encoding:'], whole],
    ['chunks with a space before the colon', [HOST, 'Transfer-Encoding : chunked'], whole],
    ['chunks with a tab before the colon', [HOST, 'Transfer-Encoding\t: chunked'], whole],
    ['a length with a space before the colon', [HOST, `Content-Length : ${length}`], INNER],
    ['chunks on a folded line', [HOST, 'Transfer-Encoding:', ' chunked'], whole],
    ['chunks after a vertical tab', [HOST, 'Transfer-Encoding: \x0bchunked'], whole],
    ['chunks after a NUL', [HOST, 'Transfer-Encoding: \0chunked'], whole],
    ['a chunk below zero', [HOST, CHUNKED], `-5\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk with a plus', [HOST, CHUNKED], `+5\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk with 0x', [HOST, CHUNKED], `0x5\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk beyond 64 bits', [HOST, CHUNKED], `10000000000000005\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk of words', [HOST, CHUNKED], `zz\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk with bare LF', [HOST, CHUNKED], `5\nhello\n0\n\n${INNER}`],
    ['a chunk with LF in its extension', [HOST, CHUNKED], `5;a\nb\r\nhello\r\n0\r\n\r\n${INNER}`],
    ['a chunk without its end', [HOST, CHUNKED], `5\r\nhelloXX0\r\n\r\n${INNER}`],
    ['a chunk with a space before its size', [HOST, CHUNKED], ` 5\r\nhello\r\n0\r\n\r\n${INNER}`],
  ]
  const read: [string, string[], string][] = [
    ['a length', [HOST, `Content-Length: ${length}`], INNER],
    ['chunks', [HOST, CHUNKED], whole],
    ['chunks in capitals', [HOST, 'TRANSFER-ENCODING: CHUNKED'], whole],
    // An empty element of a list is none (RFC 9110, 5.6.1.2).
    ['chunks after a comma', [HOST, 'Transfer-Encoding: ,chunked'], whole],
    ['a chunk with an extension', [HOST, CHUNKED], `${length.toString(16)};a=b\r\n${INNER}\r\n0\r\n\r\n`],
    ['a length with zeros before', [HOST, `Content-Length: 000${length}`], INNER],
    ['an underscore in the length’s name', [HOST, 'Content_Length: 0', `Content-Length: ${length}`], INNER],
    ['an underscore in the encoding’s name', [HOST, 'Transfer_Encoding: chunked', `Content-Length: ${length}`], INNER],
    ['the same length twice', [HOST, `Content-Length: ${length}`, `Content-Length: ${length}`], INNER],
  ]
  const of =
    (may: RawCase['may']) =>
    ([name, lines, body]: (typeof read)[number]): RawCase => ({
      name: `${name} at ${path}`,
      bytes: request(path, lines, body) + NEXT,
      answers: 2,
      may,
      path,
    })
  return [
    ...refused.map(of('refused')),
    ...read.map(of('read')),
    { name: `a trailer at ${path}`, bytes: request(path, [HOST, CHUNKED], `5\r\nhello\r\n0\r\nHost: y\r\n\r\n`), may: 'either', path },
    { name: `too short a body at ${path}`, bytes: request(path, [HOST, 'Content-Length: 900'], INNER), may: 'either', path, waits: true },
  ]
}

/** Bytes that no header has. */
function headers(path: string): RawCase[] {
  const odd = [...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9), 127]
  const lines: [string, string][] = [
    ...odd.map((code): [string, string] => [`byte ${code} in a name`, `X${String.fromCharCode(code)}Y: z`]),
    ...odd.map((code): [string, string] => [`byte ${code} in a value`, `X: a${String.fromCharCode(code)}b`]),
    ['a line without a colon', 'Nothing'],
    ['an empty name', ': value'],
    ['a space in a name', 'X Y: z'],
    ['a folded line', 'X: a\r\n b'],
    ['a folded line with a tab', 'X: a\r\n\tb'],
    ['a bare LF', 'X: a\nY: b'],
    ['a bare CR', 'X: a\rY: b'],
  ]
  return lines.map(([name, line]) => ({
    name: `${name} at ${path}`,
    bytes: request(path, [HOST, line], '', 'GET'),
    // Some of these a reader may take for a value; what may not happen is that they are taken for another header.
    may: 'either',
    path,
  }))
}

/** Hosts that are none, or that name somebody else. */
function hosts(path: string): RawCase[] {
  const bad = [
    [],
    ['Host:'],
    ['Host: a/b'],
    ['Host: a/api/users?'],
    ['Host: a?b'],
    ['Host: a#b'],
    ['Host: user@b'],
    ['Host: user:word@b'],
    ['Host: a b'],
    ['Host: a\\b'],
    ['Host: a:b'],
    ['Host: a:999999'],
    ['Host: a:80:80'],
    ['Host: [::1'],
    ['Host: [::1]x'],
    ['Host: <script>'],
    ['Host: "a"'],
    ['Host: a%00b'],
    ['Host: a%2fb'],
    ["Host: a'b"],
    ['Host: a;b'],
    ['Host: a, b'],
    ['Host: a', 'Host: b'],
    ['Host: x', 'Host: x'],
    ['Host: http://a'],
    ['Host: //a'],
    ['Host: a\xe9'],
    ['Host : a'],
    ['X-Host: a'],
  ]
  const good = [
    ['Host: example.test'],
    ['Host: example.test:8080'],
    ['Host: 127.0.0.1'],
    ['Host: [::1]:80'],
    ['HOST: x'],
    ['Host: under_score'],
    ['Host:x'],
  ]
  return [
    ...bad.map((lines): RawCase => ({
      name: `${lines.join(' | ') || 'no host'} at ${path}`,
      bytes: request(path, lines, '', 'GET'),
      may: 'refused',
      path,
    })),
    ...good.map((lines): RawCase => ({
      name: `${lines.join(' | ')} at ${path}`,
      bytes: request(path, lines, '', 'GET'),
      may: 'read',
      path,
    })),
  ]
}

/** First lines that are none, or of another HTTP. */
function firstLines(path: string): RawCase[] {
  const lines = [
    `GET ${path} HTTP/1.0`,
    `GET ${path} HTTP/1.2`,
    `GET ${path} HTTP/0.9`,
    `GET ${path} HTTP/2.0`,
    `GET ${path} HTTP/1.1x`,
    `GET ${path} http/1.1`,
    `GET ${path}`,
    `GET  ${path} HTTP/1.1`,
    `GET ${path}  HTTP/1.1`,
    `GET\t${path} HTTP/1.1`,
    `GET ${path}\tHTTP/1.1`,
    `GET ${path}\0 HTTP/1.1`,
    ` GET ${path} HTTP/1.1`,
    `get ${path} HTTP/1.1`,
    `G\xc9T ${path} HTTP/1.1`,
    `FOO ${path} HTTP/1.1`,
    `GET, ${path} HTTP/1.1`,
    `CONNECT x:443 HTTP/1.1`,
    `GET ${path.slice(1)} HTTP/1.1`,
    `OPTIONS * HTTP/1.1`,
    `PRI * HTTP/2.0`,
    `\x16\x03\x01\x02`,
  ]
  return lines.map((line) => ({ name: JSON.stringify(line), bytes: `${line}\r\n${HOST}\r\n\r\n`, may: 'either', path }))
}

/** Ways to write the path of the list of all users, for readers that do not agree. */
export const ADMIN_PATHS = [
  '/api/users',
  '/api//users',
  '//api/users',
  '/api/./users',
  '/api/x/../users',
  '/x/../api/users',
  '/api/users/',
  '/api/users//',
  '/api/%75sers',
  '/%61pi/users',
  '/api%2fusers',
  '/api%2Fusers',
  '/api/%2e/users',
  '/api/x/%2e%2e/users',
  '/api/x/%2E%2E%2fusers',
  '/api/users;x',
  '/api/users;.js',
  '/api;x/users',
  '/api/..;/api/users',
  '/v1/..;/api/users',
  '/v1/%2e%2e/api/users',
  '/v1/..%2fapi/users',
  '/api/users%00',
  '/api/users%20',
  '/api/users%09',
  '/api/users.json',
  '/api/users%3f',
  '/api/users?',
  '/api/users?x',
  '/api/users#x',
  '/API/users',
  '/api/Users',
  '/Api/USERS',
  '/api/users%2f',
  '/api/users/%2e',
  '/api/users/.',
  '/api/users/x/..',
  '/api\\users',
  '/\\api\\users',
  '/api/users%252f',
  '/api/%2575sers',
  '/api/users%c0%af',
  '/api/users%ff',
  '/api/u%EF%BD%93ers',
  '/api/users%0d%0aX:y',
  '/api/users\\..',
  '/%2fapi/users',
  '/v1/../api/users',
  '/v1beta/../api/users',
  '/v1/models/../../api/users',
  '/v1/models/%2e%2e/%2e%2e/api/users',
  '/assets/../api/users',
  'http://x/api/users',
  'http://evil.test/api/users',
  'https://x/api/users',
  'http://x@y/api/users',
  'http://x:1/api/users',
  'HTTP://x/api/users',
  '/health/../api/users',
  '/auth/../api/users',
  '/api/user/../users',
  '/api/users/../users',
  '/setup/../api/users',
  '/api/%u0075sers',
] as const

/** All of them. */
export const rawCases: readonly RawCase[] = [
  ...PATHS.flatMap(framing),
  ...LISTS.flatMap(headers),
  ...[...LISTS, '/v1beta/models'].flatMap(hosts),
  ...LISTS.flatMap(firstLines),
]
