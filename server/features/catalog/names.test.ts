import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../../../test/app.ts'

/** Enough for the two to meet in time on a database that runs transactions side by side. */
const ROUNDS = 12

/** A database of its own on a busy machine. */
const BUSY_MS = 30_000
let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
  await app.api('POST', '/api/models', { model_name: 'real', input_price: '1' })
}, BUSY_MS)
afterAll(() => app.close())

test(
  'a model and a meta model that are given one name at the same moment: exactly one of them gets it',
  async () => {
    const outcomes: number[][] = []
    for (let round = 0; round < ROUNDS; round++) {
      const name = `same-${round}`
      const meta = () => app.api('POST', '/api/meta-models', { name, dsl: 'call "real"' })
      const model = () => app.api('POST', '/api/models', { model_name: name, input_price: '1' })
      const answers = await Promise.all(round % 2 === 0 ? [meta(), model(), meta()] : [model(), meta(), model()])
      outcomes.push(answers.map(({ status }) => status).toSorted((a, b) => a - b))
    }
    expect(outcomes).toEqual(Array.from({ length: ROUNDS }, () => [200, 409, 409]))
  },
  BUSY_MS,
)

test(
  'a group is not deleted while a channel gets a multiplier for it, a user joins it or a code is made for it',
  async () => {
    const { id: user } = await app.user('joiner')
    const { body: channel } = await app.api<{ id: number }>('POST', '/api/channels', { name: 'up', base_url: 'https://up.example.test' })
    for (let round = 0; round < ROUNDS; round++) {
      const { body: group } = await app.api<{ id: number }>('POST', '/api/groups', { name: `group-${round}` })
      const uses = [
        () => app.api('PUT', `/api/channels/${channel.id}/group-multipliers`, [{ group_id: group.id, multiplier: '2' }]),
        () => app.api('PUT', `/api/users/${user}`, { group_id: group.id }),
        () => app.api('POST', '/api/redeem-codes', { amount: '1', group_id: group.id }),
      ]
      const use = uses[round % uses.length] ?? (() => Promise.reject(new Error('no use')))
      const [used, deleted] = await Promise.all([use(), app.api('DELETE', `/api/groups/${group.id}`)])
      expect([round, ...[deleted.status, used.status].toSorted((a, b) => a - b)]).toEqual([round, 200, 400])
    }
  },
  BUSY_MS,
)
