import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import OpenAI from 'openai'
import { readDatabase, type DatabaseOptions } from '../../server/db/open.ts'
import { freePort, startServer, type ServerProcess } from '../crash/process.ts'
import { makeDatabase } from '../database.ts'
import { everyRow } from '../every-row.ts'
import { chatClient } from '../matrix/client-chat.ts'
import { claudeClient } from '../matrix/client-claude.ts'
import { geminiClient } from '../matrix/client-gemini.ts'
import { responsesClient } from '../matrix/client-responses.ts'
import type { Ask, Client } from '../matrix/talk.ts'
import { setUpSite, type Site } from '../site.ts'
import type { Answer, Script, Wire } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

/* S17: what customers say and are told is kept nowhere: not in the database's files, not in what the server prints. */

/** Of one kind of text each, in no word that the house itself writes. */
const said = {
  system: 'zqsystemcanary7741',
  prompt: 'zqpromptcanary3310 and the diagnosis of the patient',
  tool: 'zqtoolcanary9025',
  result: 'zqresultcanary6182',
  image: Buffer.from('zqimagecanary5517zqimagecanary5517').toString('base64'),
  text: 'zqanswercanary2468 and what follows from it',
  thought: 'zqthoughtcanary1357',
  args: 'zqargscanary8642',
  broken: 'zqbrokencanary4096',
}
const canaries = Object.values(said).map((text) => text.split(' ')[0] ?? text)

const wires: readonly Wire[] = ['chat', 'responses', 'claude', 'gemini']
const types: Record<Wire, string> = { chat: 'openai', responses: 'responses', claude: 'claude', gemini: 'gemini' }
const answer: Answer = {
  parts: [
    { thought: said.thought, seal: 'c2VhbA==' },
    { text: said.text },
    { call: { id: 'call_9', name: 'look', args: { at: said.args } } },
  ],
}
/** An upstream's words that quote the customer's, as validators and moderation filters do. */
const quoting = `Invalid value: '${said.prompt}'. System was ${said.system}.`
/** What the provider does. Each is tried whole and streamed, by a client of each protocol, over its own road and another. */
const faults: Record<string, Script> = {
  none: { answer },
  'a 400 that quotes the prompt': { error: { status: 400, message: quoting } },
  'a 401 that quotes the prompt': { error: { status: 401, message: quoting } },
  'a 429 that quotes the prompt': { error: { status: 429, message: quoting } },
  'a 500 that quotes the prompt': { error: { status: 500, message: quoting } },
  'a page': { reply: { headers: { 'content-type': 'text/html' }, body: `<p>${said.text}</p>` } },
  'an answer that is no JSON': { reply: { headers: { 'content-type': 'application/json' }, body: `{"text":"${said.text}` } },
  'an error in the middle': { answer, cut: { after: 3, how: 'error', message: quoting } },
  'a break in the middle': { answer, cut: { after: 3, how: 'break' } },
  'an end in the middle': { answer, cut: { after: 3, how: 'end' } },
}

let database: DatabaseOptions
let remove: () => Promise<void>
let server: ServerProcess
let site: Site
let key: string
const folder = mkdtempSync(join(tmpdir(), 'tollgate-output-'))
const output = join(folder, 'output')
const upstream = await Upstream.start()

beforeAll(async () => {
  ;({ options: database, remove } = await makeDatabase())
  server = await startServer(database, await freePort(), { LOG_LEVEL: 'debug' }, [], output)
  site = await setUpSite(server.base)
  await site.api('PUT', '/api/settings', { reliability_disable_after_failures: 1_000 })
  await site.setBalance('1000')
  for (const wire of wires) {
    const channel = await site.addChannel({ baseUrl: upstream.url, type: types[wire], name: wire })
    await site.sell(channel, `on-${wire}`)
  }
  key = (await site.addKey()).secret
}, 30_000)
afterAll(async () => {
  await server.kill('SIGKILL')
  await upstream.stop()
  await remove()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (model: string): Ask => ({
  model,
  system: said.system,
  talk: [
    { user: said.prompt, media: { mediaType: 'image/png', base64: said.image } },
    { assistant: `Earlier: ${said.text}` },
    { user: `The tool said ${said.result}` },
  ],
  tools: [{ name: 'look', description: said.tool, schema: { type: 'object', properties: { at: { type: 'string' } } } }],
})

/** All that is kept, and all that was printed. */
async function kept(): Promise<string> {
  const files = [output]
  let rows = ''
  if (database.url === undefined) {
    const beside = dirname(database.path)
    for (const name of readdirSync(beside, { recursive: true })) files.push(join(beside, String(name)))
  } else {
    rows = await readDatabase(database, everyRow)
  }
  return files.map((file) => readFileSync(file, 'latin1')).join('\n') + rows
}

const found = async (): Promise<string[]> => {
  const all = await kept()
  return canaries.flatMap((canary) => {
    const at = all.indexOf(canary)
    return at < 0 ? [] : [all.slice(Math.max(0, at - 150), at + 50)]
  })
}

test('S17: prompts, pictures, tool calls and answers of four protocols are kept nowhere, whatever goes wrong', async () => {
  const clients: Client[] = [
    chatClient(new OpenAI({ apiKey: key, baseURL: `${server.base}/v1`, maxRetries: 0 })),
    responsesClient(new OpenAI({ apiKey: key, baseURL: `${server.base}/v1`, maxRetries: 0 })),
    claudeClient(new Anthropic({ apiKey: key, baseURL: server.base, maxRetries: 0 })),
    geminiClient(new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: server.base } })),
  ]
  let heard = 0
  let failed = 0
  for (const [index, script] of Object.values(faults).entries()) {
    upstream.always = script
    const calls = clients.flatMap((client, at) =>
      [false, true].flatMap((stream) =>
        [client.wire, wires[(at + 1 + (index % 3)) % wires.length] ?? client.wire].map((speaks) =>
          client.ask(ask(`on-${speaks}`), stream).then(
            ({ text }) => (text === said.text ? 'heard' : 'other'),
            () => 'failed',
          ),
        ),
      ),
    )
    const ends = await Promise.all(calls)
    heard += ends.filter((end) => end === 'heard').length
    failed += ends.filter((end) => end === 'failed').length
  }
  const CELLS_EACH = clients.length * 4
  expect(heard).toBeGreaterThanOrEqual(CELLS_EACH)
  expect(failed).toBeGreaterThanOrEqual((Object.keys(faults).length - 4) * CELLS_EACH)
  expect(JSON.stringify(upstream.received.map(({ text }) => text))).toContain(said.image)

  // What never gets as far as a channel.
  const post = async (path: string, body: string, secret = key): Promise<number> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
    const response = await fetch(server.base + path, { method: 'POST', headers, body })
    await response.text()
    return response.status
  }
  const messages = [{ role: 'user', content: said.prompt }]
  expect(await post('/v1/chat/completions', `{"model":"on-chat","messages":[{"content":"${said.broken}`)).toBe(400)
  expect(await post('/v1/chat/completions', JSON.stringify({ model: 'unknown', messages }))).toBe(404)
  expect(await post('/v1/chat/completions', JSON.stringify({ model: 'on-chat', messages }), 'sk-nobody')).toBe(401)
  expect(await post('/v1/embeddings', JSON.stringify({ model: 'on-claude', input: said.prompt }))).toBe(400)
  const pictured = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `http://127.0.0.1:9/${said.broken}.png` } }] }]
  await post('/v1/chat/completions', JSON.stringify({ model: 'on-gemini', messages: pictured }))
  await site.api('PUT', '/api/settings', { sensitive_filter_enabled: true, sensitive_words: 'diagnosis' })
  expect(await post('/v1/chat/completions', JSON.stringify({ model: 'on-chat', messages }))).toBe(403)
  await site.setBalance('0')
  await site.api('PUT', '/api/settings', { sensitive_filter_enabled: false })
  expect(await post('/v1/chat/completions', JSON.stringify({ model: 'on-chat', messages }))).toBe(402)

  expect(await found()).toEqual([])
  await server.kill('SIGTERM')
  expect(await found()).toEqual([])
  // The search itself: what must be there is found.
  expect(await kept()).toContain('on-chat')
}, 60_000)
