import { afterAll, beforeAll, expect, test } from 'bun:test'
import { checkBooks } from '../../server/features/books/service.ts'
import { startFleet, type Fleet } from './fleet.ts'

/*
 * R8 for what a site uses beside its upstreams (a frozen Redis is in limits.postgres.test.ts): mail, identity provider, captcha service and
 * price list stand still, with the features that need them waiting; calls go on as before.
 */
const FREEZES = 20
/** Longer than the calls of one round take, shorter than what waits gives up. */
const P99_MORE_MS = 100
/** The longest of the features' own limits, a price list's, with room for a busy machine. */
const GIVEN_UP_WITHIN_MS = 45_000

let fleet: Fleet
let services: Bun.Subprocess<'ignore', 'pipe', 'inherit'>
let listChannel = 0
let key = ''
beforeAll(async () => {
  fleet = await startFleet(1)
  services = Bun.spawn([process.execPath, new URL('services.ts', import.meta.url).pathname], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { value } = await services.stdout.getReader().read()
  const { listUrl, settings } = JSON.parse(new TextDecoder().decode(value)) as { listUrl: string; settings: Record<string, unknown> }
  await fleet.site.api('PUT', '/api/settings', settings)
  listChannel = await fleet.site.addChannel({ baseUrl: listUrl, name: 'lists' })
  key = (await fleet.site.addKey()).secret
}, 60_000)
afterAll(async () => {
  services.kill('SIGKILL')
  await fleet.close()
})

interface Asked {
  name: string
  status: number
  text: string
  tookMs: number
}
const post = (path: string, body: unknown) => fleet.api(0, 'POST', path, body)
/** Each feature once, at the same time. */
function features(signingIn: boolean, mails = signingIn): Promise<Asked[]> {
  const asked: Record<string, () => Promise<Response>> = {
    // Some a minute are sent.
    ...(mails && { mail: () => post('/api/settings/test/email', {}) }),
    // The tries of those who sign in are counted, an administrator's are not.
    'identity provider': () =>
      signingIn ? fetch(`${fleet.site.base}/auth/login`, { redirect: 'manual' }) : post('/api/settings/test/oidc', {}),
    captcha: () =>
      signingIn
        ? post('/auth/password/login', { identifier: 'nobody', password: 'some password', captcha_token: crypto.randomUUID() })
        : post('/api/settings/test/captcha', { captcha_token: crypto.randomUUID() }),
    'price list': () => post('/api/models/prices/sync/preview', { channel_id: listChannel }),
  }
  return Promise.all(
    Object.entries(asked).map(async ([name, ask]) => {
      const began = performance.now()
      const response = await ask()
      return { name, status: response.status, text: await response.text(), tookMs: performance.now() - began }
    }),
  )
}

/** The 99th percentile of some calls, whole and streamed, all of which are answered. */
async function calls(): Promise<number> {
  const times: number[] = []
  await Promise.all(
    Array.from({ length: 6 }, async (_, worker) => {
      for (let call = 0; call < 20; call += 1) {
        const began = performance.now()
        const response = await fleet.chat(0, key, { stream: (worker + call) % 2 === 0 })
        await response.text()
        expect(response.status).toBe(200)
        times.push(performance.now() - began)
      }
    }),
  )
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? 0
}

test(`R8: mail, identity provider, captcha and price list frozen ${FREEZES} times: calls cost no more, the features say what is wrong`, async () => {
  await calls()
  const usual: number[] = []
  const frozen: number[] = []
  let given: Asked[] = []
  for (let round = 0; round < FREEZES; round += 1) {
    usual.push(await calls())
    services.kill('SIGSTOP')
    const waiting = features(round === 0, round % 10 === 0)
    frozen.push(await calls())
    // The first time they are not thawed before everything that waits has been given up.
    if (round === 0) given = await waiting
    services.kill('SIGCONT')
    await waiting
  }
  const median = (times: number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  console.log(`  p99 of calls: ${median(usual).toFixed(0)} ms, frozen ${median(frozen).toFixed(0)} ms (medians of ${FREEZES})`)
  for (const { name, status, text, tookMs } of given)
    console.log(`  ${name}: ${status} after ${tookMs.toFixed(0)} ms: ${text.slice(0, 160)}`)
  expect(median(frozen) - median(usual)).toBeLessThan(P99_MORE_MS)
  const said = Object.fromEntries(given.map(({ name, status, text }) => [name, { status, text }]))
  expect(said['mail']).toMatchObject({ status: 200, text: expect.stringContaining('"name":"delivery","ok":false') as unknown })
  expect(said['identity provider']).toMatchObject({ status: 503, text: expect.stringContaining('OIDC provider') as unknown })
  expect(said['captcha']).toMatchObject({ status: 400, text: expect.stringContaining('hCaptcha') as unknown })
  expect(said['price list']?.status).toBeGreaterThanOrEqual(400)
  expect(said['price list']?.text).toContain('error')
  for (const { tookMs } of given) expect(tookMs).toBeLessThan(GIVEN_UP_WITHIN_MS)

  // And when they are back all of it works.
  const back = await features(true)
  expect(back.map(({ name, status }) => [name, status])).toEqual([
    ['mail', 200],
    ['identity provider', 302],
    ['captcha', 400],
    ['price list', 200],
  ])
  expect(back[0]?.text).toContain('"ok":true')
  // The captcha was good, the password was not.
  expect(back[2]?.text).toContain('invalid username/email or password')
  expect((await checkBooks(fleet.database)).differences).toEqual([])
}, 600_000)
