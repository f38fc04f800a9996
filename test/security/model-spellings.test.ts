import { afterAll, beforeAll, expect, test } from 'bun:test'
import { listen } from '../../server/listen.ts'
import { startGateway } from '../../server/relay/start.ts'
import { createTestApp, type TestApp } from '../app.ts'
import { siteOf } from '../site.ts'
import { startPlainUpstream } from '../upstream/plain.ts'
import { ALLOWED, FORBIDDEN, FORMS, formOf, MEMBERS, NAMES, PATHS } from './model-spellings.ts'
import { sendRaw } from './raw-client.ts'

/** S16: a key that may use one model reaches no other through any spelling, at any address, whatever its upstreams speak. */
const TYPES = ['openai', 'claude', 'gemini', 'responses'] as const
type Type = (typeof TYPES)[number]

let app: TestApp
let server: ReturnType<typeof listen>
/** Secrets of keys that may use the one model, and of those that may use all. */
const narrow = {} as Record<Type, string>
const wide = {} as Record<Type, string>
const upstream = startPlainUpstream()

/** A good answer of every maker at once: each reads its own members. */
const usage = { prompt_tokens: 1, completion_tokens: 1, input_tokens: 1, output_tokens: 1, total_tokens: 2 }
const output = [
  { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'a', annotations: [] }] },
]
const ANSWER = {
  id: 'a1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  created: 1,
  created_at: 1,
  model: ALLOWED,
  stop_reason: 'end_turn',
  content: [{ type: 'text', text: 'a' }],
  output,
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'a' } }],
  candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model', parts: [{ text: 'a' }] } }],
  usage,
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  data: [{ index: 0, embedding: [0.5], b64_json: 'AA==' }],
  results: [{ index: 0, relevance_score: 0.5, flagged: false }],
  embedding: { values: [0.5] },
  embeddings: [{ values: [0.5] }],
  text: 'a',
  totalTokens: 1,
  input_tokens: 1,
}

beforeAll(async () => {
  upstream.answer = ({ path }) => Response.json({ ...ANSWER, object: path.includes('responses') ? 'response' : 'chat.completion' })
  app = await createTestApp({
    gateway: startGateway,
    settings: { rate_limit_enabled: false, ssrf_allowed_hosts: '127.0.0.1', reliability_disable_after_failures: 1_000 },
  })
  server = listen(app.app, { port: 0, hostname: '127.0.0.1' })
  const site = siteOf('http://localhost', await app.admin(), 1, app.request)
  await site.setBalance('100000')
  for (const type of TYPES) {
    const { id } = await site.api<{ id: number }>('POST', '/api/user-channels', { name: type })
    const channel = await site.addChannel({ baseUrl: upstream.url, type, name: type, userChannelId: id })
    for (const model of [ALLOWED, FORBIDDEN]) await site.sell(channel, model)
    narrow[type] = (await site.addKey({ userChannels: [id], allowedModels: [ALLOWED] })).secret
    wide[type] = (await site.addKey({ userChannels: [id] })).secret
  }
}, 30_000)
afterAll(async () => {
  await server.stop(true)
  await app.close()
  await upstream.stop()
})

/** The addresses whose body names the model, with what they need besides it. */
const HELLO = '"messages":[{"role":"user","content":"Hello"}]'
const CONTENTS = '"contents":[{"role":"user","parts":[{"text":"Hello"}]}]'
const ROUTES: Record<string, string> = {
  '/v1/chat/completions': HELLO,
  '/v1/completions': '"prompt":"Hello"',
  '/v1/responses': '"input":"Hello"',
  '/v1/responses/input_tokens': '"input":"Hello"',
  '/v1/messages': `"max_tokens":9,${HELLO}`,
  '/v1/messages/count_tokens': HELLO,
  '/v1/embeddings': '"input":"Hello"',
  '/v1/moderations': '"input":"Hello"',
  '/v1/rerank': '"query":"a","documents":["b"]',
  '/v1/images/generations': '"prompt":"a"',
  '/v1/audio/speech': '"input":"a","voice":"b"',
}
const FORM_ROUTES = ['/v1/audio/transcriptions', '/v1/audio/translations', '/v1/images/edits', '/v1/images/variations']

/** Those whose path names it, with members that name another one besides. */
const EMBED = '"content":{"parts":[{"text":"Hello"}]}'
const other = [`"model":"${FORBIDDEN}"`, `"model":"models/${FORBIDDEN}"`, `"Model":"${FORBIDDEN}"`, `"model":"a","model":"${FORBIDDEN}"`]
const ACTIONS: Record<string, { plain: string; twice: string[] }> = {
  generateContent: { plain: `{${CONTENTS}}`, twice: other.map((model) => `{${model},${CONTENTS}}`) },
  streamGenerateContent: { plain: `{${CONTENTS}}`, twice: other.map((model) => `{${model},${CONTENTS}}`) },
  countTokens: {
    plain: `{${CONTENTS}}`,
    twice: other.flatMap((model) => [`{${model},${CONTENTS}}`, `{"generateContentRequest":{${model},${CONTENTS}}}`]),
  },
  embedContent: { plain: `{${EMBED}}`, twice: other.map((model) => `{${model},${EMBED}}`) },
  batchEmbedContents: {
    plain: `{"requests":[{${EMBED}}]}`,
    twice: other.flatMap((model) => [
      `{"requests":[{"model":"models/${ALLOWED}",${EMBED}},{${model},${EMBED}}]}`,
      `{${model},"requests":[{${EMBED}}]}`,
    ]),
  },
}

async function ask(path: string, key: string, body: string, contentType = 'application/json'): Promise<number> {
  const response = await app.app.fetch(
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': contentType },
      body,
    }),
    '127.0.0.1',
  )
  await response.text()
  return response.status
}

/** Whether any reader of what went out could find the forbidden model in it; empties what was received. */
function reached(): string[] {
  const found = upstream.received.splice(0).map(({ path, bytes }) => `${path} ${new TextDecoder().decode(bytes)}`)
  const read = (text: string): string =>
    text.replaceAll(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))).replaceAll(/%(25)*2d/gi, '-')
  return found.filter((text) => read(text).toLowerCase().includes(FORBIDDEN))
}

test('every address reaches an upstream with the model that the key may use, and the other one with a key that may use it', async () => {
  const dead: string[] = []
  const control = async (name: string, path: string, body: string, type: Type, contentType?: string): Promise<void> => {
    upstream.received.length = 0
    const status = await ask(path, narrow[type], body, contentType)
    if (status !== 200 || reached().length > 0) dead.push(`${name} on ${type}: ${status}`)
    const wanted = (text: string): string => text.replaceAll(ALLOWED, FORBIDDEN)
    if ((await ask(wanted(path), narrow[type], wanted(body), contentType)) !== 403) dead.push(`${name} on ${type} is not refused`)
    if ((await ask(wanted(path), wide[type], wanted(body), contentType)) !== 200) dead.push(`${name} on ${type} with a wide key`)
    // A count may be made here.
    if (reached().length === 0 && !/count|input_tokens/i.test(path)) dead.push(`${name} on ${type} reaches nothing`)
  }
  for (const [path, rest] of Object.entries(ROUTES)) await control(path, path, `{"model":"${ALLOWED}",${rest}}`, 'openai')
  for (const type of TYPES)
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages'])
      await control(path, path, `{"model":"${ALLOWED}",${ROUTES[path]}}`, type)
  for (const path of FORM_ROUTES) {
    const { contentType, body } = formOf({ fields: [{ named: 'name="model"', value: ALLOWED }] })
    await control(path, path, body, 'openai', contentType)
  }
  for (const [action, { plain }] of Object.entries(ACTIONS))
    if (action !== 'streamGenerateContent') await control(action, `/v1beta/models/${ALLOWED}:${action}`, plain, 'gemini')
  expect(dead).toEqual([])
}, 30_000)

test('no spelling in a body reaches another model', async () => {
  const wrong: string[] = []
  let tried = 0
  const attack = async (path: string, type: Type, body: string, contentType?: string): Promise<void> => {
    const status = await ask(path, narrow[type], body, contentType)
    tried += 1
    for (const text of reached()) wrong.push(`${path} on ${type}: ${body.slice(0, 200)} (${status}): ${text.slice(0, 200)}`)
  }
  for (const [path, rest] of Object.entries(ROUTES))
    for (const type of path.startsWith('/v1/chat') || path === '/v1/responses' || path === '/v1/messages' ? TYPES : (['openai'] as const)) {
      for (const name of NAMES) await attack(path, type, `{"model":${JSON.stringify(name)},${rest}}`)
      for (const body of MEMBERS) await attack(path, type, body(rest))
      await attack(`${path}?model=${FORBIDDEN}`, type, `{"model":"${ALLOWED}",${rest}}`)
    }
  for (const path of FORM_ROUTES)
    for (const form of FORMS) {
      const { contentType, body } = formOf(form)
      await attack(path, 'openai', body, contentType)
    }
  for (const version of ['v1', 'v1beta'])
    for (const [action, { twice, plain }] of Object.entries(ACTIONS))
      for (const type of ['gemini', 'openai'] as const) {
        const path = `/${version}/models/${ALLOWED}:${action}`
        for (const body of twice) await attack(path, type, body)
        await attack(`${path}?model=${FORBIDDEN}&key=${narrow[type]}`, type, plain)
      }
  expect(wrong).toEqual([])
  expect(tried).toBeGreaterThan(1_000)
}, 60_000)

test('no spelling in a path reaches or shows another model', async () => {
  const wrong: string[] = []
  const authorization = `Authorization: Bearer ${narrow.gemini}\r\n`
  for (const [index, path] of PATHS.entries()) {
    const action = Object.keys(ACTIONS)[index % 5] ?? ''
    const { plain = '' } = ACTIONS[action] ?? {}
    for (const address of [`/v1beta/models/${path}:${action}`, `/v1/models/${path}:generateContent`]) {
      const body = address.startsWith('/v1beta') ? plain : `{${CONTENTS}}`
      const head = `POST ${address} HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
      const { statuses } = await sendRaw(server.port ?? 0, head + body)
      for (const text of reached()) wrong.push(`${address} (${statuses.join()}): ${text.slice(0, 200)}`)
    }
    for (const version of ['v1', 'v1beta']) {
      const { statuses, text } = await sendRaw(
        server.port ?? 0,
        `GET /${version}/models/${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`,
      )
      if (statuses[0] === 200 && text.toLowerCase().includes(FORBIDDEN)) wrong.push(`GET /${version}/models/${path}`)
    }
  }
  expect(wrong).toEqual([])
}, 60_000)
