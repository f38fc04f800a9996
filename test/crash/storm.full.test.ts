import { expect, test } from 'bun:test'
import { checkBooks } from '../../server/features/books/service.ts'
import { startFleet } from '../processes/fleet.ts'
import { Upstream } from '../upstream/server.ts'

/* R3 in real time on a process of its own; the same minute by a hand-moved clock is in server/relay/dispatch.test.ts. */

const PER_SECOND = 200
const SECONDS = 60
const RETRY_AFTER_SECONDS = 2
/** The cooldown of a breaker in this test: what a healed upstream waits for at most, with the jitter. */
const COOLDOWN_SECONDS = 4
const RECOVERED_WITHIN_MS = 5_000
const storms = {
  '503': { error: { status: 503, message: 'overloaded' } },
  '429 with Retry-After': { error: { status: 429, message: 'slow down', headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } } },
} as const

for (const [name, script] of Object.entries(storms))
  test(`R3: ${SECONDS} s of ${name} from every upstream at ${PER_SECOND} calls a second: no storm of tries, and soon as before`, async () => {
    const fleet = await startFleet(1)
    const upstreams = await Promise.all([Upstream.start(), Upstream.start()])
    try {
      await fleet.site.api('PUT', '/api/settings', { reliability_cooldown_seconds: String(COOLDOWN_SECONDS) })
      // The fleet's own upstream is out of it.
      await fleet.site.api('DELETE', `/api/channels/${fleet.channelId}`)
      for (const { url } of upstreams) await fleet.site.sell(await fleet.site.addChannel({ baseUrl: url }), 'm')
      const { secret } = await fleet.site.addKey()
      const statuses = new Map<number, number>()
      const ask = async (): Promise<number> => {
        const response = await fleet.chat(0, secret, { stream: true })
        await response.text()
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
        return response.status
      }
      expect(await ask()).toBe(200)

      for (const upstream of upstreams) {
        upstream.reset()
        upstream.always = script
      }
      const began = performance.now()
      const running: Promise<number>[] = []
      for (let n = 0; n < PER_SECOND * SECONDS; n += 1) {
        const wait = began + (n * 1_000) / PER_SECOND - performance.now()
        if (wait > 0) await Bun.sleep(wait)
        running.push(ask())
      }
      const answers = await Promise.all(running)
      const tries = upstreams.reduce((sum, { received }) => sum + received.length, 0)
      expect(answers.every((status) => status === 503)).toBe(true)
      expect(tries).toBeLessThanOrEqual(answers.length * 1.1)
      if (name.startsWith('429'))
        // Those that were under way when the first was told so may have come as well.
        for (const { received } of upstreams) expect(received.length).toBeLessThanOrEqual((SECONDS / RETRY_AFTER_SECONDS + 1) * 8)

      for (const upstream of upstreams) upstream.always = {}
      const healed = performance.now()
      while ((await ask()) !== 200) await Bun.sleep(20)
      const recovered = performance.now() - healed
      expect(recovered).toBeLessThan(RECOVERED_WITHIN_MS)
      const channels = await fleet.site.api<{ name: string; auto_disabled_at?: string | null; enabled: boolean }[]>('GET', '/api/channels')
      expect(channels.filter(({ enabled, auto_disabled_at: at }) => !enabled || at)).toEqual([])
      console.log(`  ${answers.length} calls, ${tries} tries, first answer ${recovered.toFixed(0)} ms after they healed`)

      // What broke off after its first content is asked for once.
      for (const upstream of upstreams) {
        upstream.reset()
        upstream.always = { answer: { parts: [{ text: 'word '.repeat(50) }] }, pieces: 10, cut: { after: 5, how: 'break' } }
      }
      for (let n = 0; n < 50; n += 1) expect(await ask()).toBe(200)
      expect(upstreams.reduce((sum, { received }) => sum + received.length, 0)).toBe(50)
      expect((await checkBooks(fleet.database)).differences).toEqual([])
    } finally {
      await fleet.close()
      await Promise.all(upstreams.map((upstream) => upstream.stop()))
    }
  }, 240_000)
