import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { Answer } from '../app.ts'
import { CONTRACT } from './routes.ts'
import { faultsOf } from './fits.ts'
import { openSignIn, type SignInSite } from './rows/sign-in-site.ts'
import { passkeyRows } from './rows/passkeys.ts'
import { signInRows, type SignInRow } from './rows/sign-in.ts'

/** What signs somebody in, or changes with what he does: contract.md 3.3 and the sign-in part of 3.6. */
const SIGN_IN = /^\w+ (\/auth\/|\/api\/user\/(passkeys|password|oidc))/
/** Beyond the contract: what a session and an account need besides, in docs/api.md with a row in the feature's own table. */
const BEYOND = /^\w+ (\/auth\/|\/api\/user\/(passkeys|password|oidc|sessions|second-factor|reauth))/

const rows: readonly SignInRow[] = [...signInRows, ...passkeyRows]
let site: SignInSite
beforeAll(async () => {
  site = await openSignIn()
}, 30_000)
afterAll(() => site.close())

describe('contract.md 3.3 and 3.6: signing in', () => {
  for (const { at, access, answers, errors } of rows)
    test(`${at}: ${access}, ${answers.length} successes and ${errors.length} errors in the contract’s words`, async () => {
      const [method = '', path = ''] = at.split(' ')
      expect(site.app.app.endpoints.find((one) => one.method === method && one.path === path)?.access).toBe(access)
      const address = path.replace(/:\w+/, '1')
      if (access === 'user')
        expect(await site.app.api(method, address, undefined, null)).toMatchObject({
          status: 401,
          body: { error: 'Authorization is required' },
        })
      for (const { settings, status, says, ask } of errors) {
        const answer = await asked(settings, ask)
        expect({ at, says, status: answer.status, error: (answer.body as { error?: string }).error }).toEqual({
          at,
          says,
          status,
          error: says,
        })
      }
      for (const { settings, gives, status = 200, ask } of answers) {
        const answer = await asked(settings, ask)
        expect({ at, status: answer.status, body: answer.body }).toMatchObject({ at, status })
        expect({ at, faults: faultsOf(answer.body, gives) }).toEqual({ at, faults: [] })
      }
    }, 30_000)
})

/** A minute and an hour go by first: every limit on tries is shorter. */
async function asked(settings: Record<string, unknown> | undefined, ask: SignInRow['errors'][number]['ask']): Promise<Answer> {
  site.app.clock.advance(61 * 60_000)
  const undo = settings && (await site.change(settings))
  try {
    return await ask(site)
  } finally {
    if (undo) await site.change(undo)
  }
}

test('the contract’s sign-in routes, the table and what the application serves are the same', () => {
  const named = (path: string): string => path.replaceAll(/\/:(\w+)/g, '/{$1}')
  const table = rows.map(({ at }) => named(at))
  expect(table.toSorted()).toEqual(CONTRACT.filter((route) => SIGN_IN.test(route)).toSorted())
  const served = site.app.app.endpoints.map(({ method, path }) => named(`${method} ${path}`))
  expect(table.filter((route) => !served.includes(route))).toEqual([])
  const documented = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
  const added = served.filter((route) => BEYOND.test(route) && !table.includes(route))
  expect(added.filter((route) => !documented.includes(`\`${route}\``))).toEqual([])
})
