import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'
import { serve, type Served } from '../served.ts'
import { Upstream } from '../upstream/server.ts'
import { FakeCloud } from './cloud.ts'

const PNG = Buffer.from('iVBORw0KGgo=', 'base64')
const PDF = Buffer.from('%PDF-1.4 x')
const TOO_LARGE = 20 * 1024 * 1024 + 1

let served: Served
let asked: string[] = []
const provider = await Upstream.start()
const cloud = new FakeCloud(() => served.clock.now())
/** A web server with files. */
const files = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const { pathname } = new URL(request.url)
    asked.push(pathname)
    const typed = (body: Buffer | string, type: string): Response => new Response(body as BodyInit, { headers: { 'content-type': type } })
    switch (pathname) {
      case '/a.png':
        return typed(PNG, 'image/png')
      case '/unknown':
        return typed(PNG, 'image/webp')
      case '/a.pdf':
        return typed(PDF, 'application/pdf')
      case '/untyped.pdf':
        return typed(PDF, 'application/octet-stream')
      case '/a.jpg':
        return typed(PNG, 'image/jpg')
      case '/moved':
        return new Response(null, { status: 302, headers: { location: '/a.png' } })
      case '/loop':
        return new Response(null, { status: 302, headers: { location: '/loop' } })
      case '/inside':
        return new Response(null, { status: 302, headers: { location: 'http://10.255.255.1/a.png' } })
      case '/page':
        return typed('<p>secret of an inner server</p>', 'text/html')
      case '/json':
        return typed('{"secret":1}', 'application/json')
      case '/large':
        return typed(Buffer.alloc(TOO_LARGE), 'image/png')
      default:
        return new Response('no', { status: 404 })
    }
  },
})
const base = `http://127.0.0.1:${files.port}`

beforeAll(async () => {
  served = await serve({ customersAlsoReach: '127.0.0.1' })
  for (const [type, model, upstreamModel] of [
    ['gemini', 'on-gemini', 'gemini-3-pro'],
    ['openai', 'on-chat', 'gpt-4.1'],
    ['claude', 'on-claude', 'claude-sonnet-4-5'],
    ['responses', 'on-responses', 'gpt-5.1'],
  ] as const) {
    const channel = await served.site.addChannel({ baseUrl: provider.url, type, name: type })
    await served.site.sell(channel, model, undefined, upstreamModel)
  }
  for (const [model, channel] of Object.entries({
    'on-bedrock': { type: 'bedrock_claude', baseUrl: cloud.url, key: 'ABSK-key' },
    'on-vertex': { type: 'vertex_claude', baseUrl: `${cloud.url}/v1/projects/p/locations/global`, key: 'express-key' },
  })) {
    const id = await served.site.addChannel({ ...channel, name: model, priority: 10 })
    await served.site.sell(id, model, undefined, 'claude-sonnet-4-5')
    await served.site.sell(id, `${model}-or-claude`, undefined, 'claude-sonnet-4-5')
  }
  const direct = await served.site.addChannel({ baseUrl: provider.url, type: 'claude', name: 'direct', priority: 1 })
  for (const model of ['on-bedrock', 'on-vertex']) await served.site.sell(direct, `${model}-or-claude`, undefined, 'claude-sonnet-4-5')
})
beforeEach(() => {
  provider.reset()
  cloud.received.length = 0
  asked = []
})
afterEach(() => served.expectBooks())
afterAll(async () => {
  await served.close()
  await provider.stop()
  await cloud.stop()
  await files.stop(true)
})

function chat(model: string, url: string): Promise<Response> {
  const content = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url } },
  ]
  return served.post('/v1/chat/completions', { model, messages: [{ role: 'user', content }] })
}

function file(model: string, url: string): Promise<Response> {
  return served.post('/v1/responses', { model, input: [{ role: 'user', content: [{ type: 'input_file', file_url: url }] }] })
}

describe('a file named by its address', () => {
  test('is fetched for Gemini, which takes none over plain http, with the type the server says', async () => {
    for (const [path, mimeType] of [
      ['/a.png', 'image/png'],
      ['/unknown', 'image/webp'],
      ['/moved', 'image/png'],
    ]) {
      const response = await chat('on-gemini', base + path)
      expect(response.status, await response.clone().text()).toBe(200)
      expect(response.headers.get('x-tollgate-dropped')).toBeNull()
      const [content] = provider.last.body.contents as JsonObject[]
      expect(content?.parts).toEqual([{ text: 'What is it?' }, { inlineData: { mimeType, data: PNG.toString('base64') } }])
    }
  })

  test('is fetched for Chat where it is no picture, also from a server that does not know its type', async () => {
    for (const path of ['/a.pdf', '/untyped.pdf']) {
      const response = await file('on-chat', base + path)
      expect(response.status, await response.clone().text()).toBe(200)
      expect(JSON.stringify(provider.last.body.messages)).toContain(`data:application/pdf;base64,${PDF.toString('base64')}`)
    }
  })

  test('goes on as an address where the upstream fetches it by itself, and to its own protocol always', async () => {
    expect((await chat('on-claude', `${base}/a.png`)).status).toBe(200)
    expect(provider.last.text).toContain('"type":"url"')
    expect((await chat('on-responses', `${base}/a.png`)).status).toBe(200)
    expect((await file('on-responses', `${base}/a.pdf`)).status).toBe(200)
    expect((await file('on-claude', `${base}/a.pdf`)).status).toBe(200)
    expect((await chat('on-chat', `${base}/a.png`)).status).toBe(200)
    expect((await chat('on-gemini', 'https://example.com/a.png')).status).toBe(200)
    expect(provider.last.text).toContain('"fileUri":"https://example.com/a.png"')
    expect(asked).toEqual([])
  })

  test('is fetched once, also when the first channel fails', async () => {
    for (const name of ['first', 'second']) {
      const channel = await served.site.addChannel({ baseUrl: provider.url, type: 'gemini', name })
      await served.site.sell(channel, 'on-two', undefined, 'gemini-3-pro')
    }
    provider.next({ error: { status: 500, message: 'no' } })
    expect((await chat('on-two', `${base}/a.png`)).status).toBe(200)
    expect(provider.received).toHaveLength(2)
    expect(asked).toEqual(['/a.png'])
  })
})

describe('Claude on a cloud takes no addresses', () => {
  const image = { type: 'base64', media_type: 'image/png', data: PNG.toString('base64') }
  const pdf = { type: 'base64', media_type: 'application/pdf', data: PDF.toString('base64') }
  const claude = (model: string, url: string, stream = false): Promise<Response> =>
    served.post('/v1/messages', {
      model,
      stream,
      max_tokens: 50,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }],
    })

  for (const model of ['on-bedrock', 'on-vertex']) {
    test(`${model}: a Claude client's pictures and PDFs are fetched wherever they stand, and nothing else is changed`, async () => {
      const talk = (shot: JsonObject, paper: JsonObject): JsonObject[] => [
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'shoot', input: { type: 'url', url: 'kept' } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'image', source: shot }] },
            { type: 'document', title: 'Paper', source: paper, cache_control: { type: 'ephemeral' }, citations: { enabled: true } },
            { type: 'document', source: { type: 'content', content: [{ type: 'image', source: shot }] } },
            { type: 'text', text: `${base}/a.png`, unknown_member: 1 },
          ],
        },
      ]
      for (const stream of [false, true]) {
        asked = []
        const messages = talk({ type: 'url', url: `${base}/a.png` }, { type: 'url', url: `${base}/a.pdf` })
        const response = await served.post('/v1/messages', { model, stream, max_tokens: 50, messages })
        expect(await response.text()).toContain(stream ? 'message_stop' : 'Hello there')
        expect(response.headers.get('x-tollgate-dropped')).toBeNull()
        expect(cloud.received.at(-1)?.body['messages']).toEqual(talk(image, pdf))
        expect(asked).toEqual(['/a.png', '/a.pdf'])
      }
      expect((await claude(model, `${base}/a.jpg`)).status).toBe(200)
      expect(JSON.stringify(cloud.received.at(-1)?.body)).toContain('"media_type":"image/jpeg"')
    })

    test(`${model}: other clients' pictures and files are fetched too`, async () => {
      expect((await chat(model, `${base}/moved`)).status).toBe(200)
      expect(cloud.received[0]?.body['messages']).toMatchObject([{ content: [{ type: 'text' }, { type: 'image', source: image }] }])
      expect((await file(model, `${base}/untyped.pdf`)).status).toBe(200)
      expect(cloud.received[1]?.body['messages']).toMatchObject([{ content: [{ type: 'document', source: pdf }] }])
    })

    test(`${model}: sound and films are a loss and not fetched for it`, async () => {
      const parts = [{ text: 'What is it?' }, { fileData: { mimeType: 'video/mp4', fileUri: `${base}/film.mp4` } }]
      const response = await served.post(`/v1beta/models/${model}:generateContent`, { contents: [{ role: 'user', parts }] })
      expect(response.status, await response.clone().text()).toBe(200)
      expect(response.headers.get('x-tollgate-dropped')).toBe('contents[0].parts[1]')
      expect(asked).toEqual([])
    })

    test(`${model}: an address that gives nothing is the client's 400; a channel that takes addresses is asked with it`, async () => {
      for (const stream of [false, true])
        for (const path of ['/gone', '/page', '/a.pdf', '/inside']) {
          const response = await claude(model, base + path, stream)
          expect(response.status).toBe(400)
          expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
        }
      expect((await claude(model, 'http://10.255.255.1/a.png')).status).toBe(400)
      expect(cloud.received).toEqual([])
      expect((await claude(`${model}-or-claude`, `${base}/gone`)).status).toBe(200)
      expect(provider.last.text).toContain(`"url":"${base}/gone"`)
      expect((await claude(`${model}-or-claude`, `${base}/a.png`)).status).toBe(200)
      expect(cloud.received).toHaveLength(1)
    })
  }
})

describe("an address that gives nothing is the client's 400, and no upstream is asked", () => {
  const cases: [string, string][] = [
    ['/gone', 'answered 404'],
    ['/page', 'is no image/*'],
    ['/json', 'is no image/*'],
    ['/large', 'larger than 20 MiB'],
    ['/loop', 'leads on too often'],
    ['/inside', 'could not be fetched'],
  ]
  for (const [path, reason] of cases) {
    test(path, async () => {
      const response = await chat('on-gemini', base + path)
      const text = await response.text()
      expect(response.status).toBe(400)
      expect(text).toContain(reason)
      expect(text).not.toContain('secret')
      expect(text).not.toContain('10.255')
      expect(provider.received).toHaveLength(0)
      const row = await served.row(response.headers.get('x-tollgate-request-id') ?? '')
      expect(row.cost).toBe('0')
    })
  }

  test('an inner address is refused in the words of one where nobody answers', async () => {
    const inner = await (await chat('on-gemini', 'http://10.255.255.1/a.png')).json()
    expect(inner).toMatchObject({
      error: { code: 'media_unavailable', message: 'A file of the request could not be fetched: http://10.255.255.1/a.png' },
    })
  })
})

describe("the owner's own hosts are not the customer's to read", () => {
  const settings = [
    { ssrf_allowed_hosts: '127.0.0.1,localhost,127.0.0.0/8,::1' },
    { ssrf_allow_private_networks: true },
    { ssrf_protection_enabled: false },
  ]
  for (const allowed of settings)
    test(`with ${JSON.stringify(allowed)}: channels reach them, addresses in requests do not`, async () => {
      const site = await serve({ settings: allowed })
      try {
        await site.site.sell(await site.site.addChannel({ baseUrl: provider.url, type: 'gemini' }), 'on-gemini', undefined, 'gemini-3-pro')
        const ask = (url: string): Promise<Response> =>
          site.post('/v1/chat/completions', {
            model: 'on-gemini',
            messages: [
              { role: 'user', content: [{ type: 'text', text: 'What?' }, ...(url ? [{ type: 'image_url', image_url: { url } }] : [])] },
            ],
          })
        expect((await ask('')).status).toBe(200)
        for (const host of ['127.0.0.1', 'localhost', '127.1', '[::ffff:127.0.0.1]']) {
          const response = await ask(`http://${host}:${files.port}/a.png`)
          expect([host, response.status]).toEqual([host, 400])
          expect(await response.json()).toMatchObject({ error: { code: 'media_unavailable' } })
        }
        expect(asked).toEqual([])
        expect(provider.received).toHaveLength(1)
        await site.expectBooks()
      } finally {
        await site.close()
      }
    })
})

test("the log keeps no words of a customer's address", async () => {
  for (const path of ['page', 'nowhere']) {
    const answer = await chat('on-gemini', `${base}/${path}?of=the-patient`)
    expect(await answer.text()).toContain(`/${path}`)
    const { error } = await served.row(answer.headers.get('x-tollgate-request-id') ?? '')
    expect(error).toContain('the address')
    expect(error).not.toContain(base)
  }
})
