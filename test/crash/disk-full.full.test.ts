import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDatabase } from '../../server/db/open.ts'
import { checkBooks } from '../../server/features/books/service.ts'
import { setUpSite } from '../site.ts'
import { Upstream } from '../upstream/server.ts'
import { freePort, startServer } from './process.ts'

/* R12: the disk of a SQLite file is full for a while. */

const DISK = '64m'
const CALLS_WHILE_FULL = 200
const RECOVERED_WITHIN_MS = 5_000
/** A hold whose settlement failed is closed at the next beat that can write. */
const FREED_LIMIT_MS = 15_000

const folder = mkdtempSync(join(tmpdir(), 'tollgate-disk-'))
const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', folder], { stderr: 'ignore' }).success
if (!mounted) console.log('  a small disk can only be mounted by root: left out')

test.skipIf(!mounted)(
  'R12: a full disk loses no charge, refuses with 503 and is forgotten when there is room again',
  async () => {
    const upstream = await Upstream.start()
    const database = { path: join(folder, 'test.db'), onError: () => undefined }
    const server = await startServer(database, await freePort(), { LOG_LEVEL: 'silent' })
    try {
      const site = await setUpSite(server.base)
      await site.sell(await site.addChannel({ baseUrl: upstream.url }), 'm')
      await site.setBalance('1000')
      const { secret } = await site.addKey()
      const arrived: string[] = []
      const statuses = new Set<number>()
      const ask = async (): Promise<boolean> => {
        const response = await fetch(`${server.base}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] }),
        })
        await response.text()
        statuses.add(response.status)
        if (response.status === 200) arrived.push(response.headers.get('x-tollgate-request-id') ?? '')
        return response.status === 200
      }
      expect(await ask()).toBe(true)
      const filler = join(folder, 'filler')
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(filler, Buffer.alloc(bavail * bsize - bsize))
      for (let index = 0; index < CALLS_WHILE_FULL; index += 1) await ask()
      expect([...statuses].toSorted((a, b) => a - b)).toEqual([200, 503])
      rmSync(filler)
      const began = performance.now()
      while (!(await ask())) {
        expect(performance.now() - began).toBeLessThan(RECOVERED_WITHIN_MS)
        await Bun.sleep(20)
      }
      const holds = (): Promise<number> =>
        readDatabase(database, async (db) => (await db.selectFrom('holds').select('id').execute()).length)
      const freedBy = performance.now() + FREED_LIMIT_MS
      while ((await holds()) > 0 && performance.now() < freedBy) await Bun.sleep(100)
      expect(await holds()).toBe(0)
      const rows = await readDatabase(database, (db) => db.selectFrom('logs').select(['request_id', 'cost']).execute())
      const costs = new Map(rows.map(({ request_id: id, cost }) => [id, cost]))
      expect(arrived.filter((id) => costs.get(id) !== 1_000_000n)).toEqual([])
      expect((await checkBooks(database)).differences).toEqual([])
      console.log(`  ${arrived.length} whole answers, each charged once`)
    } finally {
      await server.kill('SIGKILL')
      await upstream.stop()
      Bun.spawnSync(['umount', folder])
      rmSync(folder, { recursive: true, force: true })
    }
  },
  120_000,
)
