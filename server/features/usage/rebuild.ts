import type { Database } from '../../db/open.ts'
import type { Clock } from '../../lib/clock.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { foldUsage } from './fold.ts'
import { DAY_MS, deleteBuckets, kinds, QUARTER_MS, sumsOfBuckets, sumsOfLogs, type Kind, type Sums } from './fold/store.ts'

/** Takes all buckets away and adds every call up again; calls may go on meanwhile. */
export async function rebuildUsage(deps: { db: Database; clock: Clock }): Promise<void> {
  const { db, clock } = deps
  await db.query.transaction().execute(async (tx) => {
    await oneAtATime(tx, clock.now())
    await deleteBuckets(tx)
    await writeMark(tx, 'mark.usage', 0, clock.now())
  })
  for (let before = -1, mark = 0; mark !== before;) {
    before = mark
    await foldUsage(deps)
    mark = await readMark(db.query, 'mark.usage')
  }
}

/** Where the buckets of a kind and span do not add up to the calls behind the mark. */
export async function checkUsage(
  db: Database['query'],
  differ: (what: string, id: string, expected: string, found: string) => void,
): Promise<void> {
  const expected = textOf(await sumsOfLogs(db, await readMark(db, 'mark.usage')))
  for (const kind of Object.keys(kinds) as Kind[])
    for (const [name, span] of [
      ['quarters', QUARTER_MS],
      ['days', DAY_MS],
    ] as const) {
      const found = textOf(await sumsOfBuckets(db, kind, span))
      if (found !== expected) differ('usage by', `${kind}, ${name}`, expected, found)
    }
}

function textOf(sums: Sums): string {
  return Object.entries(sums)
    .map(([name, value]) => `${name} ${value ?? 0}`)
    .join(', ')
}
