import { expect, test } from 'bun:test'
import { Writer, type RunBatch } from './writer.ts'

/** A writer over an engine that only counts, and the batches it was given. */
function recorded(): { writer: Writer; batches: { durable: boolean; names: string[] }[]; named(name: string): () => string } {
  const batches: { durable: boolean; names: string[] }[] = []
  let current: string[] = []
  const runBatch: RunBatch = async (work, durable) => {
    current = []
    await work({ run: () => 0, all: () => [], first: () => undefined })
    batches.push({ durable, names: current })
  }
  const named = (name: string) => () => {
    current.push(name)
    return name
  }
  return { writer: new Writer(runBatch), batches, named }
}

test('what is queued together shares one commit, and each caller gets its own result', async () => {
  const { writer, batches, named } = recorded()
  expect(await Promise.all([writer.submit(named('a')), writer.submit(named('b'), { durable: false })])).toEqual(['a', 'b'])
  expect(batches).toEqual([{ durable: true, names: ['a', 'b'] }])
})

test('a patient operation on an idle writer is committed at once', async () => {
  const { writer, batches, named } = recorded()
  await writer.submit(named('end of a stream'), { patient: true })
  expect(batches).toEqual([{ durable: true, names: ['end of a stream'] }])
  await writer.idle()
})

test('patient operations that follow a commit are gathered, go along with the next sync, and never wait for good', async () => {
  const { writer, batches, named } = recorded()
  await writer.submit(named('first'), { patient: true })
  const gathered = [writer.submit(named('p1'), { patient: true }), writer.submit(named('p2'), { patient: true })]
  await writer.submit(named('hold'), { durable: false })
  expect(batches.slice(1)).toEqual([{ durable: false, names: ['hold'] }]) // a commit that is not synced leaves them waiting
  await writer.submit(named('charge'))
  await Promise.all(gathered)
  expect(batches[2]).toEqual({ durable: true, names: ['charge', 'p1', 'p2'] })
  await writer.submit(named('alone'), { patient: true }) // nobody comes along: the gathering time ends it
  expect(batches[3]).toEqual({ durable: true, names: ['alone'] })
  await writer.idle()
})

test('idle waits for the patient too', async () => {
  const { writer, batches, named } = recorded()
  await writer.submit(named('first'), { patient: true })
  void writer.submit(named('last'), { patient: true })
  await writer.idle()
  expect(batches.map(({ names }) => names)).toEqual([['first'], ['last']])
})

test('of 512 operations one is at fault: it fails alone, and the engine is asked twenty times, not five hundred', async () => {
  let asked = 0
  const writer = new Writer(async (work) => {
    asked += 1
    await work({ run: () => 0, all: () => [], first: () => undefined })
  })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 512 }, (_, index) =>
      writer.submit(() => {
        if (index === 300) throw new Error('at fault')
        return index
      }),
    ),
  )
  expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([300])
  expect(asked).toBeLessThan(21) // the whole, then two halves of each size down to one
})

test('a lost database fails all that waited for it at once, after a try on a new connection', async () => {
  let asked = 0
  const lost = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const writer = new Writer(() => {
    asked += 1
    return Promise.reject(lost)
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 512 }, () => writer.submit(() => 1)))
  expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === lost)).toBe(true)
  expect(asked).toBe(3)
})

test('a deadlock or a connection that was lost once fails nobody', async () => {
  for (const code of ['40P01', '40001', '57P01', 'ECONNRESET']) {
    let asked = 0
    const writer = new Writer(async (work) => {
      asked += 1
      await work({ run: () => 0, all: () => [], first: () => undefined })
      if (asked === 1) throw Object.assign(new Error('undone'), { code })
    })
    expect(await writer.submit(() => 'done')).toBe('done')
    expect(asked).toBe(2)
  }
})

test('the age of the queue is that of its oldest operation, the running one included', async () => {
  const gate = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  const writer = new Writer(async (work) => {
    began.resolve()
    await gate.promise
    await work({ run: () => 0, all: () => [], first: () => undefined })
  })
  expect(writer.waitedMs).toBe(0)
  const first = writer.submit(() => 1)
  await began.promise
  const before = writer.waitedMs
  expect(before).toBeGreaterThan(0)
  const second = writer.submit(() => 2)
  expect(writer.waitedMs).toBeGreaterThanOrEqual(before)
  gate.resolve()
  await Promise.all([first, second])
  await writer.idle()
  expect(writer.waitedMs).toBe(0)
})

test('an operation that throws fails alone; its companions are committed', async () => {
  const { writer, named } = recorded()
  const wrong = writer.submit(() => {
    throw new Error('refused')
  })
  const right = writer.submit(named('right'))
  expect(await right).toBe('right')
  expect(wrong).rejects.toThrow('refused')
})
