import { money, ZERO } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Clock } from '../../lib/clock.ts'
import { archivedTotals } from '../logs/archive.ts'
import { oneAtATime, readMark, writeMark } from '../settings/service.ts'
import { foldUsage } from './fold.ts'
import { deleteBuckets, kinds, sumsOfBuckets, sumsOfLogs, type Kind, type Sums } from './fold/store.ts'
import { DAY_MS, QUARTER_MS } from '../../lib/clock.ts'

/**
 * Takes all buckets away and adds every call up again; calls may go on meanwhile.
 * @throws Error when calls have left the log: the buckets are all that is known of their times
 */
export async function rebuildUsage(deps: { db: Database; clock: Clock }): Promise<void> {
  const { db, clock } = deps
  await db.query.transaction().execute(async (tx) => {
    await oneAtATime(tx, clock.now())
    if ((await readMark(tx, 'mark.log_archive')) > 0) throw new Error('calls have left the log: usage cannot be added up again from it')
    await deleteBuckets(tx)
    await writeMark(tx, 'mark.usage', 0, clock.now())
  })
  for (let before = -1, mark = 0; mark !== before;) {
    before = mark
    await foldUsage(deps)
    mark = await readMark(db.query, 'mark.usage')
  }
}

/** Where the buckets of a kind and span do not add up to the calls up to the mark, those that left the log among them. */
export async function checkUsage(
  db: Database['query'],
  differ: (what: string, id: string, expected: string, found: string) => void,
): Promise<void> {
  const [kept, archived] = [await sumsOfLogs(db, await readMark(db, 'mark.usage')), await archivedTotals(db)]
  const expected = textOf(plus(kept, archived))
  for (const kind of Object.keys(kinds) as Kind[])
    for (const [name, span] of [
      ['quarters', QUARTER_MS],
      ['days', DAY_MS],
    ] as const) {
      const found = textOf(await sumsOfBuckets(db, kind, span))
      if (found !== expected) differ('usage by', `${kind}, ${name}`, expected, found)
    }
}

function plus(a: Sums, b: Sums): Sums {
  return {
    requests: (a.requests ?? 0) + (b.requests ?? 0),
    parts: (a.parts ?? 0) + (b.parts ?? 0),
    input_tokens: (a.input_tokens ?? 0) + (b.input_tokens ?? 0),
    output_tokens: (a.output_tokens ?? 0) + (b.output_tokens ?? 0),
    cost: money((a.cost ?? ZERO) + (b.cost ?? ZERO)),
  }
}

function textOf(sums: Sums): string {
  return Object.entries(sums)
    .map(([name, value]) => `${name} ${value ?? 0}`)
    .join(', ')
}
