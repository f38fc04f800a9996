import { expect, test } from 'bun:test'
import type { JsonObject } from '../../contract/json.ts'

/** What test/protocols/toy/play.ts prints. */
interface Played {
  results: Record<string, { status: number; text: string; cost: string; losses: string[]; endpoint: string }> & { unknown: JsonObject }
  toyAsked: string[][]
}

/** What each client calls the temperature that a toy upstream cannot have. */
const heat: Record<string, string> = {
  chat: 'temperature',
  responses: 'temperature',
  claude: 'temperature',
  gemini: 'generationConfig.temperature',
}

/** The words of a toy stream, put together. */
function bits(text: string): string {
  return [...text.matchAll(/"bit":"([^"]*)"/g)].map(([, bit]) => bit).join('')
}

test('a fifth protocol is one folder and a row in two tables: it talks with all four others, both ways, billed and with its losses', async () => {
  const child = Bun.spawn([process.execPath, new URL('./toy/play.ts', import.meta.url).pathname], { stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect(await child.exited, err).toBe(0)
  const { results, toyAsked } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as Played
  for (const wire of ['chat', 'responses', 'claude', 'gemini']) {
    for (const how of ['whole', 'streamed']) {
      const client = results[`toy on ${wire}, ${how}`]
      expect(client).toMatchObject({ status: 200, cost: '0.00045', endpoint: 'toy', losses: [] })
      expect(how === 'whole' ? client?.text : bits(client?.text ?? '')).toContain('Hello from afar.')
      expect(client?.text).toContain('"spent":[100,20]')
      const upstream = results[`${wire} on toy, ${how}`]
      expect(upstream).toMatchObject({ status: 200, cost: '0.00045', losses: [heat[wire]] })
      expect(upstream?.text).toContain(how === 'whole' ? 'Hello from a toy.' : 'from a toy.')
      expect(upstream?.text).toContain('"on-toy"')
    }
  }
  for (const how of ['whole', 'streamed']) expect(results[`toy on toy, ${how}`]).toMatchObject({ status: 200, cost: '0.00045', losses: [] })
  expect(results.unknown).toEqual({ oops: 'The model `nobody` does not exist' })
  expect(toyAsked).toEqual(Array.from({ length: 10 }, () => ['> Hello?']))
})
