import { EMPTY_USAGE, totalInput, totalOutput, type Usage } from '../contract/meters.ts'
import { money, MONEY_ONE, parseMoney, ZERO, type Money } from '../contract/money.ts'
import { decodeCard, NO_MULTIPLIERS, quote } from '../contract/quote.ts'
import { draftOf } from '../server/features/billing/draft.ts'
import { accountOf, credit, ledgerOf } from '../server/features/billing/service.ts'
import type { TestApp } from './app.ts'
import { callFacts } from './call-facts.ts'

/** One unit per million tokens, in and out. */
const CARD = '{"prices":{"input":"1","output":"1"},"tiers":{},"quota_type":0}'
let serial = 0

export function amount(text: string): Money {
  const parsed = parseMoney(text)
  if (parsed === undefined) throw new Error(`not an amount: ${text}`)
  return parsed
}

/** Money on an account, paid unless it is said to be given. */
export async function give(app: TestApp, userId: number, text: string, gifted = false): Promise<void> {
  const { id } = await accountOf(app.deps, userId)
  const value = amount(text)
  await credit(app.deps, { accountId: id, kind: 'adjustment', reference: `give${serial++}`, amount: value, gifted: gifted ? value : ZERO })
}

export interface Charge {
  usage?: Partial<Usage>
  model?: string
  channelId?: number
  keyId?: number | null
  upstreamModel?: string
  /** What the upstream asks for it; null: unknown. */
  upstreamCost?: Money | null
}

/** A call of a user as the gateway settles it: held, charged, booked and logged. @returns its request id */
export async function charge(
  app: TestApp,
  userId: number,
  { usage = {}, model = 'm', channelId, keyId = null, upstreamModel, upstreamCost = null }: Charge,
) {
  const now = app.clock.now()
  const { id: accountId } = await accountOf(app.deps, userId)
  const requestId = `req_charge${serial++}`
  const ledger = ledgerOf(app.deps.db)
  const whole = { ...EMPTY_USAGE, ...usage }
  const { total, base } = quote(whole, decodeCard(CARD), NO_MULTIPLIERS)
  await ledger.hold({ requestId, accountId, quotaKeyId: keyId, amount: money(1n), now, deadlineAt: now + 60_000, context: '{}' })
  const facts = callFacts({ requestId, userId, accountId, apiKeyId: keyId, modelName: model, priceSnapshot: CARD, createdAt: now })
  const served =
    channelId === undefined
      ? undefined
      : {
          userChannelId: 1,
          channelId,
          channelModelId: 1,
          upstreamModel: upstreamModel ?? model,
          upstreamProtocol: 'openai-chat',
          groupMultiplier: money(MONEY_ONE),
          groupSource: 'group',
          userChannelMultiplier: money(MONEY_ONE),
        }
  const log = draftOf(
    facts,
    served,
    {
      status: 200,
      endReason: 'complete',
      usageSource: totalInput(whole) + totalOutput(whole) > 0 ? 'upstream' : 'none',
      items: 1,
      usage: whole,
      baseCost: base,
      upstreamCost,
      chargeNote: '',
      losses: [],
      attempts: [],
      error: '',
      firstResponseMs: 1,
      responseMs: 2,
    },
    total,
  )
  await ledger.settle({ requestId, accountId, apiKeyId: keyId, cost: total, now, log })
  return requestId
}
