import { money, ZERO } from '../../contract/money.ts'
import { PAYLOAD_PURPOSE } from '../../server/features/payloads/recorder.ts'
import { createUser } from '../../server/features/users/service.ts'
import type { TestApp, TestUser } from '../app.ts'
import { addRows, logRow } from '../log-rows.ts'
import { notify, yipayNotice, type Order } from '../payments/gateway.ts'
import { siteOf } from '../site.ts'

/** What only the victim's own data has. */
export const CANARY = 'canary-of-the-victim'

export type Ids = Record<string, string | number>

/**
 * Gives a user everything that one can have, each with the canary in a text of his: keys, calls with their records, orders, statements,
 * gifts, somebody he brought, sessions, passkeys, an authenticator with its recovery codes, a stored response.
 * @returns the ids of all that, by what they are called on the wire
 */
export async function everythingOf(app: TestApp, victim: TestUser): Promise<Ids> {
  const db = app.deps.db.query
  const now = app.clock.now()
  const own = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await app.api<T>(method, path, body, victim.token)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const site = siteOf('http://localhost', await app.admin(), 1, app.request)
  const channel = await site.addChannel({ baseUrl: 'https://up.example.test', type: 'responses' })
  await site.sell(channel, 'm')
  const [userChannel] = await site.api<{ id: number }[]>('GET', '/api/user-channels')
  const { key } = await own<{ key: { id: number } }>('POST', '/api/user/api-keys', {
    name: CANARY,
    allowed_user_channels: [userChannel?.id],
  })
  const { id: accountId } = await db.selectFrom('accounts').select('id').where('user_id', '=', victim.id).executeTakeFirstOrThrow()

  await site.api('POST', `/api/users/${victim.id}/adjustments`, { amount: '5', reason: CANARY })
  const code = await site.api<{ id: number; code: string }>('POST', '/api/redeem-codes', { amount: '1' })
  await own('POST', '/api/user/redeem-code', { code: code.code })
  await own('POST', '/api/user/check-in')
  const order = await own<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' })
  await notify(app, 'yipay', yipayNotice(order, { trade_no: CANARY }))
  const open = await own<Order>('POST', '/api/user/payment/orders', { amount: '10', method: 'alipay' })
  await db
    .updateTable('payment_orders')
    .set({ trade_no: `${CANARY}-2`, method: CANARY })
    .where('order_no', '=', open.order_no)
    .execute()

  const whose = { user_id: victim.id, account_id: accountId, api_key_id: key.id }
  await addRows(app.deps.db, [
    logRow(now, { ...whose, request_id: 'req_of_the_victim', model_name: CANARY, user_agent: CANARY, error: CANARY }),
  ])
  const log = await db.selectFrom('logs').select('id').where('request_id', '=', 'req_of_the_victim').executeTakeFirstOrThrow()
  const said = app.deps.secrets.seal(
    PAYLOAD_PURPOSE,
    JSON.stringify({ request: CANARY, request_bytes: 1, answer: CANARY, answer_bytes: 1 }),
  )
  await db.insertInto('log_payloads').values({ log_id: log.id, user_id: victim.id, sealed: said, created_at: now }).execute()
  await db
    .insertInto('responses')
    .values({ response_id: 'resp_of_the_victim', user_id: victim.id, channel_id: channel, model_name: 'm', created_at: now })
    .execute()

  const friend = `friend-${CANARY}`
  const guest = { username: friend, email: `${friend}@example.test`, emailVerified: true, passwordHash: null, role: 'user' as const }
  const { id: brought } = await db.transaction().execute((tx) => createUser(tx, { ...guest, referrerId: victim.id }, now))
  const commission = { referrer_id: victim.id, referred_user_id: brought, token_log_id: log.id, base_cost: money(1n), rate: ZERO }
  await db
    .insertInto('referral_commissions')
    .values({ ...commission, amount: money(1n), created_at: now, due_at: now, credited_at: null })
    .execute()

  const dated = { user_id: victim.id, created_at: now }
  const passkey = { ...dated, name: CANARY, credential_id: CANARY, public_key: 'k', sign_count: 0, transports: '[]' }
  await db
    .insertInto('passkeys')
    .values({ ...passkey, updated_at: now, last_used_at: null })
    .execute()
  await db
    .insertInto('totp_secrets')
    .values({ ...dated, sealed: CANARY, last_step: 0, confirmed_at: now })
    .execute()
  await db
    .insertInto('recovery_codes')
    .values({ ...dated, code_hash: CANARY })
    .execute()
  await db
    .updateTable('users')
    .set({ oidc_sub: CANARY, oidc_issuer: 'https://idp.example', referral_code: CANARY })
    .where('id', '=', victim.id)
    .execute()

  await db.updateTable('sessions').set({ user_agent: CANARY }).where('user_id', '=', victim.id).execute()

  const idOf = async (table: 'passkeys' | 'redemptions' | 'check_ins' | 'referral_commissions' | 'ledger_entries' | 'totp_secrets') =>
    (await db.selectFrom(table).select('id').orderBy('id', 'desc').executeTakeFirstOrThrow()).id
  const [session] = await own<{ id: string }[]>('GET', '/api/user/sessions')
  return {
    user_id: victim.id,
    username: victim.username,
    account_id: accountId,
    api_key_id: key.id,
    session: session?.id ?? '',
    order_no: order.order_no,
    open_order_no: open.order_no,
    log_id: log.id,
    request_id: 'req_of_the_victim',
    response_id: 'resp_of_the_victim',
    month: new Date(now).toISOString().slice(0, 7),
    code: code.code,
    redeem_code_id: code.id,
    passkey: await idOf('passkeys'),
    redemption: await idOf('redemptions'),
    check_in: await idOf('check_ins'),
    commission: await idOf('referral_commissions'),
    ledger_entry: await idOf('ledger_entries'),
    totp: await idOf('totp_secrets'),
    referred_user_id: brought,
  }
}
