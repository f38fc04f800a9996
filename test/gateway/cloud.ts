import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { jwtVerify } from 'jose'
import { chunkMessage } from '../upstream/event-stream.ts'

/** What a cloud got. */
export interface Received {
  path: string
  headers: Record<string, string>
  body: Record<string, unknown>
}

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

export const AWS = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', region: 'eu-west-1' }

/**
 * Google's token endpoint with Vertex AI behind it, and Bedrock's runtime: each looks at its credentials as the real one does.
 * `tokens`: assertions that were traded so far.
 */
export class FakeCloud {
  readonly received: Received[] = []
  tokens = 0
  refuseTokens = false
  expiresIn = 3_600
  readonly #server: Bun.Server<undefined>

  constructor(nowMs: () => number) {
    this.#server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async (request) => {
        const { pathname } = new URL(request.url)
        const text = await request.text()
        if (pathname === '/token') return this.#token(text, nowMs())
        const headers = Object.fromEntries(request.headers)
        if (request.method === 'GET') return new Response('{}', { status: 403 })
        this.received.push({ path: new URL(request.url).pathname, headers, body: JSON.parse(text) as Record<string, unknown> })
        return pathname.startsWith('/model/') ? this.#bedrock(request, text) : this.#vertex(pathname, headers)
      },
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`
  }

  /** A key file as Google gives it out. */
  get keyFile(): string {
    return JSON.stringify(
      {
        type: 'service_account',
        client_email: 'robot@project.iam.gserviceaccount.com',
        private_key: privateKey,
        private_key_id: 'k1',
        token_uri: `${this.url}/token`,
      },
      null,
      2,
    )
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }

  async #token(text: string, nowMs: number): Promise<Response> {
    const form = new URLSearchParams(text)
    const key = await crypto.subtle.importKey('spki', der(publicKey), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['verify'])
    const { payload } = await jwtVerify(form.get('assertion') ?? '', key, { audience: `${this.url}/token`, currentDate: new Date(nowMs) })
    if (this.refuseTokens || payload['scope'] !== 'https://www.googleapis.com/auth/cloud-platform')
      return Response.json({ error: 'invalid_grant' }, { status: 400 })
    this.tokens += 1
    return Response.json({ access_token: `token-${this.tokens}`, expires_in: this.expiresIn, token_type: 'Bearer' })
  }

  #vertex(path: string, headers: Record<string, string>): Response {
    if (headers['authorization'] !== `Bearer token-${this.tokens}` && headers['x-goog-api-key'] !== 'express-key')
      return Response.json({ error: { code: 401, message: 'bad token', status: 'UNAUTHENTICATED' } }, { status: 401 })
    if (path.endsWith(':streamRawPredict')) return new Response(sse(claudeEvents), { headers: { 'content-type': 'text/event-stream' } })
    if (path.endsWith(':rawPredict')) return Response.json(claudeMessage)
    return path.endsWith(':streamGenerateContent')
      ? new Response(`data: ${JSON.stringify(geminiAnswer)}\n\n`, { headers: { 'content-type': 'text/event-stream' } })
      : Response.json(geminiAnswer)
  }

  #bedrock(request: Request, body: string): Response {
    const { authorization = '' } = Object.fromEntries(request.headers)
    if (authorization !== 'Bearer ABSK-key' && !isSigned(request, body))
      return Response.json({ message: 'The security token is invalid' }, { status: 403 })
    if (!request.url.endsWith('/invoke-with-response-stream')) return Response.json(claudeMessage)
    return new Response(Buffer.concat(claudeEvents.map(chunkMessage)), {
      headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    })
  }
}

function der(pem: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')).buffer
}

/** Signature Version 4, written from its documentation and not from the library that signs ("Create a signed AWS API request"). */
function isSigned(request: Request, body: string): boolean {
  const parts = /Credential=([^/]+)\/(\d+)\/([^/]+)\/bedrock\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)/.exec(
    request.headers.get('authorization') ?? '',
  )
  const [, id, day = '', region, signedHeaders = '', signature] = parts ?? []
  if (id !== AWS.id || region !== AWS.region) return false
  const url = new URL(request.url)
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  // The path is encoded once more, each of its parts (only S3 does not).
  const path = url.pathname
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`))
    .join('/')
  const headers = signedHeaders.split(';').map((name) => `${name}:${request.headers.get(name)?.trim() ?? ''}\n`)
  const canonical = ['POST', path, '', headers.join(''), signedHeaders, request.headers.get('x-amz-content-sha256') ?? hash(body)].join(
    '\n',
  )
  const toSign = ['AWS4-HMAC-SHA256', request.headers.get('x-amz-date'), `${day}/${region}/bedrock/aws4_request`, hash(canonical)].join(
    '\n',
  )
  const key = ['aws4_request'].reduce<Buffer>(mac, mac(mac(mac(`AWS4${AWS.secret}`, day), AWS.region), 'bedrock'))
  return mac(key, toSign).toString('hex') === signature
}

const claudeMessage = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5@20250929',
  content: [{ type: 'text', text: 'Hello there' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 4 },
}
const claudeEvents = [
  { type: 'message_start', message: { ...claudeMessage, content: [], stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello there' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
]
const geminiAnswer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello there' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 },
  modelVersion: 'gemini-3-pro',
}

function sse(events: readonly { type: string }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
