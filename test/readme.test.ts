import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { DatabaseOptions } from '../server/db/open.ts'
import { readDatabase } from '../server/db/open.ts'
import { freePort, startServer, type ServerProcess } from './crash/process.ts'
import { makeDatabase } from './database.ts'

/** The README is true to the letter: its five lines are run as they stand, only with this machine's addresses. */

let database: DatabaseOptions
let remove: () => Promise<void>
let upstream: Bun.Server<undefined>
let server: ServerProcess

beforeAll(async () => {
  ;({ options: database, remove } = await makeDatabase())
  upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => {
      const chunk = (rest: object): string =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini-2024', ...rest })}\n\n`
      const body =
        chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi!' }, finish_reason: null }] }) +
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
        chunk({ choices: [], usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 } })
      return new Response(`${body}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  server = await startServer(database, await freePort())
})

afterAll(async () => {
  await server.kill('SIGTERM')
  await upstream.stop(true)
  await remove()
})

for (const file of ['README.md', 'README.zh.md']) {
  test(`${file} has the same five lines`, () => {
    expect(linesOf(file)).toEqual(linesOf('README.md'))
    expect(linesOf(file)).toHaveLength(5)
  })
}

test('the five curl lines of the README end in a streamed answer and a log row with the exact cost', async () => {
  const [setup, ...rest] = linesOf('README.md').map((line) =>
    line
      .replaceAll('localhost:8080', server.base.replace('http://', ''))
      .replaceAll('https://api.openai.com', `http://127.0.0.1:${upstream.port}`),
  )
  // The upstream of this test is on the machine itself, which an owner has to allow; OpenAI's is not.
  const allow = `curl -s -X PUT ${server.base}/api/settings -H "authorization: Bearer $T" -d '{"ssrf_allowed_hosts":"127.0.0.1"}' >/dev/null`
  const shell = Bun.spawn(['sh', '-c', [setup, allow, ...rest].join('\n')], {
    env: { ...process.env, OPENAI_API_KEY: 'sk-upstream' },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = await new Response(shell.stdout).text()
  expect(await shell.exited).toBe(0)
  expect(output).toContain('"content":"Hi!"')
  expect(output).toContain('"model":"gpt-4o-mini"')
  expect(output).toContain('data: [DONE]')
  // 8 x 0.15 / 1M + 2 x 0.6 / 1M
  expect(output).toContain('"cost":"0.0000024"')
  const rows = await readDatabase(database, (db) => db.selectFrom('logs').select(['cost']).execute())
  expect(rows).toEqual([{ cost: 24_000n as never }])
})

function linesOf(file: string): string[] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  const block = text.split('```sh\n').find((part) => part.startsWith('T=$('))
  return (block?.split('```')[0] ?? '').split('\n').filter((line) => line !== '')
}
