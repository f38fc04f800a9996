/**
 * Drives one server and prints one JSON line of what it saw. Its own process, so that its work is not counted as the
 * server's.
 *
 *   load.ts closed <url> <key> <model> <stream 0|1> <concurrency> <requests> [<bytes of prompt>]
 *   load.ts open   <url> <key> <model> <stream 0|1> <requests per second> <requests>
 *   load.ts hold   <url> <key> <model> <streams> <seconds> [<bytes of prompt>]
 *
 * The address says which protocol is spoken.
 */
import { percentile } from './measure.ts'

const [mode, url, key, model, ...rest] = process.argv.slice(2) as [string, string, string, string, ...string[]]
const headers: Record<string, string> = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
if (key.startsWith('{')) {
  // The peer is told its upstream by headers (its documentation, "Custom hosts").
  const { provider, custom_host: host } = JSON.parse(key) as { provider: string; custom_host: string }
  Object.assign(headers, { authorization: 'Bearer x', 'x-portkey-provider': provider, 'x-portkey-custom-host': host })
}

/** A prompt of the asked size, of words as they come. */
const promptOf = (bytes: number): string =>
  bytes <= 0 ? 'Say something about a quick brown fox.' : 'a quick brown fox '.repeat(Math.ceil(bytes / 18)).slice(0, bytes)

/** The least that asks for an answer, in the protocol of the address. */
function bodyOf(stream: boolean, promptBytes = 0): string {
  const { pathname } = new URL(url)
  const prompt = promptOf(promptBytes)
  const asked = stream ? { stream: true } : {}
  if (pathname.endsWith('/responses'))
    return JSON.stringify({ model, instructions: 'You are helpful.', input: prompt, max_output_tokens: 64, ...asked })
  const messages = [{ role: 'user', content: prompt }]
  if (pathname.endsWith('/messages')) return JSON.stringify({ model, system: 'You are helpful.', messages, max_tokens: 64, ...asked })
  if (pathname.includes('enerateContent'))
    return JSON.stringify({ contents: [{ role: 'user', parts: [{ text: prompt }] }], generationConfig: { maxOutputTokens: 64 } })
  return JSON.stringify({ model, messages: [{ role: 'system', content: 'You are helpful.' }, ...messages], max_tokens: 64, ...asked })
}

interface Seen {
  errors: number
  chunks: number
  latencies: number[]
  firstBytes: number[]
}
const seen: Seen = { errors: 0, chunks: 0, latencies: [], firstBytes: [] }

async function call(stream: boolean, body: string): Promise<void> {
  const started = performance.now()
  try {
    const response = await fetch(url, { method: 'POST', headers, body })
    if (response.status !== 200) {
      seen.errors += 1
      if (seen.errors === 1) console.error(response.status, (await response.text()).slice(0, 300))
      else await response.arrayBuffer()
      return
    }
    if (!stream) await response.arrayBuffer()
    else {
      let first = true
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        if (first) seen.firstBytes.push(performance.now() - started)
        first = false
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 2)) seen.chunks += 1
      }
    }
    seen.latencies.push(performance.now() - started)
  } catch (error) {
    seen.errors += 1
    if (seen.errors === 1) console.error(String(error))
  }
}

const started = performance.now()
if (mode === 'closed') {
  const [stream, concurrency, requests] = [rest[0] === '1', Number(rest[1]), Number(rest[2])]
  const body = bodyOf(stream, Number(rest[3] ?? 0))
  let left = requests
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await call(stream, body)
    }),
  )
} else if (mode === 'open') {
  const [stream, rate, requests] = [rest[0] === '1', Number(rest[1]), Number(rest[2])]
  const body = bodyOf(stream)
  const running: Promise<void>[] = []
  for (let index = 0; index < requests; index += 1) {
    const due = started + (index * 1000) / rate
    const wait = due - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    running.push(call(stream, body))
  }
  await Promise.all(running)
} else {
  const [streams, seconds] = [Number(rest[0]), Number(rest[1])]
  const body = bodyOf(true, Number(rest[2] ?? 0))
  const until = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: streams }, async (_, index) => {
      await Bun.sleep((index / streams) * 1000)
      while (performance.now() < until) await call(true, body)
    }),
  )
}
const seconds = (performance.now() - started) / 1000
console.log(
  JSON.stringify({
    requests: seen.latencies.length,
    errors: seen.errors,
    chunks: seen.chunks,
    seconds,
    p50: percentile(seen.latencies, 50),
    p99: percentile(seen.latencies, 99),
    firstP50: percentile(seen.firstBytes, 50),
    firstP99: percentile(seen.firstBytes, 99),
  }),
)
