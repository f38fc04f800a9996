import type { ChannelBody, ChannelWire } from '../../../contract/api/channels.ts'
import type { ChannelOverrideWire } from '../../../contract/api/groups.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Money } from '../../../contract/money.ts'
import type { Database } from '../../db/open.ts'
import type { Deps } from '../../http/deps.ts'
import { parseCron } from '../../lib/cron.ts'
import { newLimits } from '../../lib/limit-fields.ts'
import { isMask } from '../../lib/secret-box.ts'
import { recordAudit } from '../audit/service.ts'
import { changeRouting, type Actor } from '../catalog/change.ts'
import { CHANNEL_KEY_PURPOSE } from '../catalog/service.ts'
import { deleteBindingsOfChannel } from '../channel-models/service.ts'
import { checkOverrides, groupWires, requireMultiplier } from '../groups/service.ts'
import { defaultUserChannelId, userChannelExists } from '../user-channels/service.ts'
import { channelWireOf, overrideWiresOf } from './service.ts'
import { HEALTHY } from './health.ts'
import {
  deleteChannelRows,
  findChannel,
  insertChannel,
  replaceOverrides,
  selectOverrides,
  updateChannelRow,
  type ChannelRow,
} from './store.ts'

/** Longest base URL (contract.md 2.6). */
const MAX_BASE_URL = 255
/** The last characters of a key tell two apart only where enough of it stays hidden. */
const HINT_CHARS = 4
const MIN_CHARS_FOR_HINT = 12
/** What a price sync runs by, once it is switched on (contract.md 2.6). */
const DEFAULT_SYNC_CRON = '0 * * * *'

/** @throws AppError base_url_unsafe | user_channel_unknown | multiplier_zero | price_sync_cron_invalid | bad_request */
export async function createChannel(deps: Deps, body: ChannelBody & { name: string }, actor: Actor): Promise<ChannelWire> {
  const baseUrl = checkBaseUrl(body.base_url ?? '')
  const multiplier = requireMultiplier(body.multiplier)
  if (typeof body.api_key === 'string' && isMask(body.api_key)) {
    throw new AppError('bad_request', { message: 'api_key: this is the mask of another key, not a key', param: 'api_key' })
  }
  const { id } = await changeRouting(deps, 'conflict', async (tx, now) => {
    const made = await insertChannel(
      tx,
      {
        user_channel_id: await userChannelFor(tx, body, undefined),
        name: body.name,
        type: body.type ?? 'openai',
        base_url: baseUrl,
        ...sealedKey(deps, body.api_key ?? ''),
        multiplier,
        priority: body.priority ?? 1,
        weight: body.weight ?? 1,
        enabled: body.enabled === false ? 0 : 1,
        price_sync_enabled: body.price_sync_enabled === true ? 1 : 0,
        price_sync_cron: checkCron(body.price_sync_cron ?? ''),
        price_sync_last_at: null,
        consecutive_failures: 0,
        last_failure_at: null,
        last_failure_reason: '',
        auto_disabled_at: null,
        auto_disabled_reason: '',
        last_health_checked_at: null,
        last_health_status: '',
        first_byte_timeout_seconds: body.first_byte_timeout_seconds ?? null,
        ...newLimits(body),
      },
      now,
    )
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'create',
      objectType: 'channel',
      objectId: made.id,
      after: { ...made },
      ip: actor.ip,
      now,
    })
    return made
  })
  return channelWireOf(deps.db.query, id)
}

/** @throws AppError channel_not_found | base_url_unsafe | user_channel_unknown | multiplier_zero | price_sync_cron_invalid */
export async function updateChannel(deps: Deps, id: number, body: ChannelBody, actor: Actor): Promise<ChannelWire> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findChannel(tx, id)
    if (!before) throw new AppError('channel_not_found')
    const after = await updateChannelRow(
      tx,
      id,
      {
        user_channel_id: await userChannelFor(tx, body, before),
        name: body.name ?? before.name,
        type: body.type ?? before.type,
        base_url: body.base_url === undefined || body.base_url === null ? before.base_url : checkBaseUrl(body.base_url),
        ...newKey(deps, body.api_key),
        multiplier: requireMultiplier(body.multiplier ?? before.multiplier),
        priority: body.priority ?? before.priority,
        weight: body.weight ?? before.weight,
        enabled: (body.enabled ?? before.enabled === 1) ? 1 : 0,
        price_sync_enabled: (body.price_sync_enabled ?? before.price_sync_enabled === 1) ? 1 : 0,
        price_sync_cron: checkCron(body.price_sync_cron ?? before.price_sync_cron),
        first_byte_timeout_seconds: kept(body.first_byte_timeout_seconds, before.first_byte_timeout_seconds),
        ...newLimits(body, before),
        ...forgiven(body, before),
      },
      now,
    )
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'update',
      objectType: 'channel',
      objectId: id,
      before: { ...before },
      after: { ...after },
      ip: actor.ip,
      now,
    })
  })
  return channelWireOf(deps.db.query, id)
}

/** Deletes a channel with its bindings and multipliers; one that is gone already is fine. */
export async function deleteChannel(deps: Deps, id: number, actor: Actor): Promise<void> {
  await changeRouting(deps, 'conflict', async (tx, now) => {
    const before = await findChannel(tx, id)
    if (!before) return
    await deleteBindingsOfChannel(tx, id)
    await deleteChannelRows(tx, id)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'delete',
      objectType: 'channel',
      objectId: id,
      before: { ...before },
      ip: actor.ip,
      now,
    })
  })
}

/** @throws AppError channel_not_found | group_missing | bad_request */
export async function putOverrides(
  deps: Deps,
  id: number,
  body: readonly { group_id: number; multiplier: Money }[],
  actor: Actor,
): Promise<ChannelOverrideWire[]> {
  return changeRouting(deps, 'conflict', async (tx, now) => {
    if (!(await findChannel(tx, id))) throw new AppError('channel_not_found')
    const before = await selectOverrides(tx, [id])
    const overrides = await checkOverrides(tx, body)
    await replaceOverrides(tx, id, overrides, now)
    await recordAudit(tx, {
      actorUserId: actor.userId,
      action: 'set_group_multipliers',
      objectType: 'channel',
      objectId: id,
      before: { overrides: before.map(({ group_id: groupId, multiplier }) => ({ groupId, multiplier })) },
      after: { overrides },
      ip: actor.ip,
      now,
    })
    return overrideWiresOf(await selectOverrides(tx, [id]), await groupWires(tx))
  })
}

/** Where a channel belongs: absent keeps, or means the default one on create; null belongs nowhere. */
async function userChannelFor(tx: Database['query'], body: ChannelBody, before: ChannelRow | undefined): Promise<number | null> {
  const asked = body.user_channel_id
  if (asked === null) return null
  if (asked === undefined) return before ? before.user_channel_id : ((await defaultUserChannelId(tx)) ?? null)
  if (!(await userChannelExists(tx, asked))) throw new AppError('user_channel_unknown', { param: 'user_channel_id' })
  return asked
}

/** An absolute http(s) URL without user name, query or fragment: paths are appended to it. Where it leads is checked at each call. */
function checkBaseUrl(text: string): string {
  const fault = new AppError('base_url_unsafe', { param: 'base_url' })
  if (text.length > MAX_BASE_URL || !/^https?:\/\//i.test(text) || !URL.canParse(text)) throw fault
  const url = new URL(text)
  if (url.hostname === '' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') throw fault
  return text
}

/** A plan of price sync; "" is every hour. @throws AppError price_sync_cron_invalid */
function checkCron(text: string): string {
  if (text === '') return DEFAULT_SYNC_CRON
  try {
    parseCron(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AppError('price_sync_cron_invalid', { message: `invalid price sync cron: ${cause.message}`, param: 'price_sync_cron', cause })
  }
  return text
}

/** Columns of a new key; undefined, "" and the mask keep what is stored, null clears it (W12). */
function newKey(deps: Deps, key: string | null | undefined): Partial<Pick<ChannelRow, 'api_key_sealed' | 'api_key_hint'>> {
  if (key === null) return sealedKey(deps, '')
  return key === undefined || key === '' || isMask(key) ? {} : sealedKey(deps, key)
}

function sealedKey(deps: Deps, key: string): Pick<ChannelRow, 'api_key_sealed' | 'api_key_hint'> {
  return {
    api_key_sealed: deps.secrets.seal(CHANNEL_KEY_PURPOSE, key),
    // The end of a key file is brackets.
    api_key_hint: key.length >= MIN_CHARS_FOR_HINT && !/[}\]]\s*$/.test(key) ? key.slice(-HINT_CHARS) : '',
  }
}

/** Absent keeps, null falls back to the wider setting. */
function kept(asked: number | null | undefined, before: number | null): number | null {
  return asked === undefined ? before : asked
}

/** Another key, address or switch is a fresh start: what an older one did no longer counts against the channel. */
function forgiven(body: ChannelBody, before: ChannelRow): Partial<ChannelRow> {
  const newKey = body.api_key === null || (body.api_key !== undefined && body.api_key !== '' && !isMask(body.api_key))
  const newAddress = typeof body.base_url === 'string' && body.base_url !== before.base_url
  const switchedOn = body.enabled === true && before.enabled === 0
  return newKey || newAddress || switchedOn ? HEALTHY : {}
}
