import { AppError } from '../../../contract/errors.ts'
import { protocolOfType, type UpstreamProtocol } from '../../../contract/channel-types.ts'
import { vendorOf, type Vendor } from '../../../contract/vendors.ts'
import type { Deps } from '../../http/deps.ts'
import { keysOf } from '../catalog/build.ts'
import { CHANNEL_KEY_PURPOSE } from '../catalog/service.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import { findChannel, noteHealth } from './store.ts'

/** What is needed to speak to an upstream, its key in the clear: for the server's own use only. */
export interface ChannelAccess {
  protocol: UpstreamProtocol
  vendor: Vendor | undefined
  baseUrl: string
  key: string
}

/** Opens a stored channel, enabled or not. @throws AppError channel_not_found */
export async function openChannel(deps: Pick<Deps, 'db' | 'secrets'>, id: number): Promise<ChannelAccess> {
  const row = await findChannel(deps.db.query, id)
  if (!row) throw new AppError('channel_not_found')
  return {
    protocol: protocolOfType(row.type),
    vendor: vendorOf(row.type, row.base_url),
    baseUrl: row.base_url,
    key: keysOf(deps.secrets.open(CHANNEL_KEY_PURPOSE, row.api_key_sealed))[0] ?? '',
  }
}

/** Columns of a channel that nothing speaks against. */
export const HEALTHY = { consecutive_failures: 0, auto_disabled_at: null, auto_disabled_reason: '' } as const

/** Keeps the result of a test as the health everybody sees; one that went well puts the channel back into service. */
export async function recordHealth(deps: Pick<Deps, 'db' | 'clock' | 'changes'>, id: number, status: 'ok' | 'failed'): Promise<void> {
  const now = deps.clock.now()
  const fine = status === 'ok'
  await noteHealth(deps.db.query, id, { last_health_checked_at: now, last_health_status: status, ...(fine ? HEALTHY : {}) })
  if (!fine) return
  await deps.changes.publish({ type: 'channel_health', channelId: id })
  await deps.changes.publish({ type: 'routing' })
}

/** Longest reason kept: it quotes an upstream. */
const MAX_REASON_CHARS = 500

/** What the traffic of a channel came to. */
export interface Verdict {
  channelId: number
  /** Failures in a row. */
  failures: number
  reason: string
}

/** Keeps for everybody to see that a channel's breaker opened. */
export async function recordFailures(deps: Pick<Deps, 'db' | 'clock'>, { channelId, failures, reason }: Verdict): Promise<void> {
  await noteHealth(deps.db.query, channelId, {
    consecutive_failures: failures,
    last_failure_at: deps.clock.now(),
    last_failure_reason: reason.slice(0, MAX_REASON_CHARS),
  })
}

/** The channel answered again; its last failure stays to be seen. */
export async function recordClosed(deps: Pick<Deps, 'db'>, channelId: number): Promise<void> {
  await noteHealth(deps.db.query, channelId, { consecutive_failures: 0 })
}

/** Takes a channel out of service in every process until its key or credit is seen to work again. Its owner's switch stays as it is. */
export async function recordAutoDisabled(
  deps: Pick<Deps, 'db' | 'clock' | 'changes'>,
  { channelId, failures, reason }: Verdict,
): Promise<void> {
  const now = deps.clock.now()
  const text = reason.slice(0, MAX_REASON_CHARS)
  await noteHealth(deps.db.query, channelId, {
    consecutive_failures: failures,
    last_failure_at: now,
    last_failure_reason: text,
    auto_disabled_at: now,
    auto_disabled_reason: text,
  })
  await deps.changes.publish({ type: 'routing' })
}

/** Puts a channel back into service. */
export async function recordReturn(deps: Pick<Deps, 'db' | 'changes'>, channelId: number): Promise<void> {
  await noteHealth(deps.db.query, channelId, HEALTHY)
  await deps.changes.publish({ type: 'routing' })
}

/** An administrator's word that a channel is fine: every process forgets what spoke against it. @throws AppError channel_not_found */
export async function resetHealth(deps: Pick<Deps, 'db' | 'clock' | 'changes'>, channelId: number, actor: Actor): Promise<void> {
  await deps.db.query.transaction().execute(async (tx) => {
    const before = await findChannel(tx, channelId)
    if (!before) throw new AppError('channel_not_found')
    await noteHealth(tx, channelId, HEALTHY)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'reset_health',
      objectType: 'channel',
      objectId: channelId,
      before: { consecutive_failures: before.consecutive_failures, auto_disabled_reason: before.auto_disabled_reason },
      after: { consecutive_failures: 0, auto_disabled_reason: '' },
      ip: actor.ip,
      now: deps.clock.now(),
    })
  })
  await deps.changes.publish({ type: 'channel_health', channelId })
  await deps.changes.publish({ type: 'routing' })
}
