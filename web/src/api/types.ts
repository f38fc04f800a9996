import type { ApiKeyWire, createApiKey } from '../../../contract/api/api-keys.ts'
import type { passwordLogin, passwordMethod } from '../../../contract/api/auth.ts'
import type { PublicModelWire } from '../../../contract/api/catalog.ts'
import type { ChannelModelWire } from '../../../contract/api/channel-models.ts'
import type { SessionWire } from '../../../contract/api/common.ts'
import type { ChannelWire } from '../../../contract/api/channels.ts'
import type { LogWire, ReceiptWire } from '../../../contract/api/logs.ts'
import type { ModelWire } from '../../../contract/api/models.ts'
import type { CreationOptions, PasskeyWire, RequestOptions } from '../../../contract/api/passkeys.ts'
import type { reauthOptions, secondFactorState } from '../../../contract/api/second-factor.ts'
import type { getUserStats } from '../../../contract/api/stats.ts'
import type { getUserCatalog } from '../../../contract/api/user-catalog.ts'
import type { UserChannelWire } from '../../../contract/api/user-channels.ts'
import type { UserWire } from '../../../contract/api/users.ts'
import type { ResponseOf } from '../../../contract/endpoint.ts'
import type { BoolKey, TextKey } from '../../../contract/settings.ts'

// Types only: the schemas behind them stay on the server, so that the page loads no zod.

/** `GET /api/public/settings`, or the same in the page's boot block. */
export type PublicSettings = Partial<Record<BoolKey, boolean> & Record<TextKey, string> & { mail_enabled: boolean }>

export interface Boot {
  readonly settings: PublicSettings
  readonly setup_required: boolean
  readonly build: string
}

export type User = UserWire
export type SignedIn = ResponseOf<typeof passwordLogin>
export type UserStats = ResponseOf<typeof getUserStats>
export type CatalogChannel = ResponseOf<typeof getUserCatalog>[number]
export type ApiKey = ApiKeyWire
export type NewApiKey = ResponseOf<typeof createApiKey>
export type Channel = ChannelWire
export type UserChannel = UserChannelWire
export type Model = ModelWire
export type ChannelModel = ChannelModelWire
export type LogRow = LogWire
export type Receipt = ReceiptWire
export type ReceiptLine = ReceiptWire['lines'][number]
export type ReceiptAttempt = ReceiptWire['attempts'][number]

export type Session = SessionWire
export type Passkey = PasskeyWire
export type PasskeyRequest = RequestOptions
export type PasskeyCreation = CreationOptions
export type SecondFactor = ResponseOf<typeof secondFactorState>
export type ReauthOptions = ResponseOf<typeof reauthOptions>
export type PasswordMethod = ResponseOf<typeof passwordMethod>

export type PublicModel = PublicModelWire

export interface Page<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly page: number
  readonly page_size: number
}
