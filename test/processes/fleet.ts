import { makeDatabase } from '../database.ts'
import { freePort, startServer, type ServerProcess } from '../crash/process.ts'
import { setUpSite, type Site } from '../site.ts'
import type { DatabaseOptions } from '../../server/db/open.ts'

/** An upstream that answers every chat at once. */
export interface Upstream {
  readonly url: string
  /** Calls that run now, and the most that ran at once. */
  running: number
  most: number
  /** How long an answer takes, ms. */
  delayMs: number
  close(): Promise<void>
}

/** Several processes of one installation, set up and selling `m` for 0.0035 a call. */
export interface Fleet {
  readonly database: DatabaseOptions
  readonly servers: readonly ServerProcess[]
  readonly site: Site
  readonly upstream: Upstream
  readonly channelId: number
  /** A call through one of them. */
  chat(server: number, key: string, init?: { headers?: Record<string, string>; path?: string; stream?: boolean }): Promise<Response>
  /** The owner's call of the API through one of them. */
  api(server: number, method: string, path: string, body?: unknown): Promise<Response>
  close(): Promise<void>
}

/** Answers like OpenAI, after a while if asked to; streams in eight pieces. */
function startUpstream(): Upstream {
  const state = { running: 0, most: 0, delayMs: 0 }
  const head = { id: 'chatcmpl-1', created: 1, model: 'm' }
  const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      state.running += 1
      state.most = Math.max(state.most, state.running)
      try {
        const { stream } = (await request.json()) as { stream?: boolean }
        if (stream) return streamed(head, usage, state.delayMs)
        if (state.delayMs > 0) await Bun.sleep(state.delayMs)
        const message = { role: 'assistant', content: 'hello' }
        return Response.json({ ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
      } finally {
        state.running -= 1
      }
    },
  })
  return Object.assign(state, { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) })
}

function streamed(head: object, usage: object, delayMs: number): Response {
  const chunk = (rest: object): string => `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest })}\n\n`
  return new Response(
    async function* () {
      for (let index = 0; index < 8; index += 1) {
        yield chunk({ choices: [{ index: 0, delta: { content: 'word ' }, finish_reason: null }] })
        await Bun.sleep(delayMs / 8)
      }
      yield chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
      yield chunk({ choices: [], usage })
      yield 'data: [DONE]\n\n'
    } as unknown as BodyInit,
    { headers: { 'content-type': 'text/event-stream' } },
  )
}

/** Starts `count` processes on a database of their own. `env`: for all of them; `output`: the file that takes what they print. */
export async function startFleet(count: number, env: Record<string, string> = {}, output?: string): Promise<Fleet> {
  const { options: database, remove } = await makeDatabase()
  const upstream = startUpstream()
  // One after the other: each takes a free port only when it listens.
  const servers: ServerProcess[] = []
  for (let index = 0; index < count; index += 1) servers.push(await startServer(database, await freePort(), env, [], output))
  const at = (index: number): ServerProcess => {
    const server = servers[index]
    if (!server) throw new Error(`there is no process ${index}`)
    return server
  }
  const site = await setUpSite(at(0).base)
  const channelId = await site.addChannel({ baseUrl: upstream.url })
  await site.sell(channelId, 'm', { input_price: '2.5', output_price: '10' })
  await site.setBalance('100000')
  return {
    database,
    servers,
    site,
    upstream,
    channelId,
    chat: (server, key, { headers, path = '/v1/chat/completions', stream = false } = {}) =>
      fetch(at(server).base + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'hello' }] }),
      }),
    api: (server, method, path, body) =>
      fetch(at(server).base + path, {
        method,
        headers: { authorization: `Bearer ${site.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async close() {
      await Promise.all(servers.map((server) => server.kill('SIGKILL')))
      await upstream.close()
      await remove()
    },
  }
}
