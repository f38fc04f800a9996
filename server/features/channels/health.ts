import { AppError } from '../../../contract/errors.ts'
import { protocolOfType, type UpstreamProtocol } from '../../../contract/channel-types.ts'
import { vendorOf, type Vendor } from '../../../contract/vendors.ts'
import type { Deps } from '../../http/deps.ts'
import { CHANNEL_KEY_PURPOSE } from '../catalog/service.ts'
import { findChannel, updateChannelRow } from './store.ts'

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
    key: deps.secrets.open(CHANNEL_KEY_PURPOSE, row.api_key_sealed),
  }
}

/** Longest word of a state; the reason stands in the test's own answer. */
const MAX_STATUS_CHARS = 200

/** Keeps the result of a test as the health everybody sees. */
export async function recordHealth(deps: Pick<Deps, 'db' | 'clock'>, id: number, status: string): Promise<void> {
  const now = deps.clock.now()
  await updateChannelRow(deps.db.query, id, { last_health_checked_at: now, last_health_status: status.slice(0, MAX_STATUS_CHARS) }, now)
}
