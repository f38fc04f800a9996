import type { Database } from '../db/open.ts'
import type { Clock } from '../lib/clock.ts'
import type { Range } from '../lib/client-ip.ts'
import type { LiveSettings } from '../lib/live-settings.ts'
import type { Log } from '../lib/log.ts'
import type { Mailer } from '../lib/mailer.ts'
import type { GuardedFetch } from '../lib/outbound.ts'
import type { SecretBox } from '../lib/secret-box.ts'

/** What every feature gets from outside: nothing in it is global, so a test brings its own. */
export interface Deps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly settings: LiveSettings
  readonly secrets: SecretBox
  readonly fetch: GuardedFetch
  readonly mailer: Mailer
  /** Signs sessions; at least 32 characters. */
  readonly jwtSecret: string
  /** Sign-in at an identity provider, where the settings of the same names are empty; from the environment. */
  readonly oidcDefaults: {
    readonly issuer: string
    readonly clientId: string
    readonly clientSecret: string
    readonly redirectUrl: string
  }
  /** Who becomes an administrator by a proven address (lower case) or subject; from the environment. */
  readonly bootstrapAdmins: { readonly emails: readonly string[]; readonly oidcSubs: readonly string[] }
  readonly trustedProxies: readonly Range[]
  /** Told after each committed change of routing data, keys, users or settings, so that caches follow at once. */
  readonly changes: Changes
}

/** What changed: `routing` rebuilds the snapshot; the others drop what is kept of one key, user or channel. */
export type Change =
  | { type: 'routing' }
  | { type: 'settings' }
  | { type: 'api_key'; keyHashes: string[] }
  | { type: 'user'; userId: number }
  | { type: 'channel_health'; channelId: number }

/** Tells who keeps a copy in memory. Listeners finish before `publish` resolves: a change is in force when its answer leaves. */
export class Changes {
  readonly #listeners: ((change: Change) => void | Promise<void>)[] = []

  listen(listener: (change: Change) => void | Promise<void>): void {
    this.#listeners.push(listener)
  }

  async publish(change: Change): Promise<void> {
    for (const listener of this.#listeners) await listener(change)
  }
}
