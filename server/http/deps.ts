import type { Database } from '../db/open.ts'
import type { Clock } from '../lib/clock.ts'
import type { Range } from '../lib/client-ip.ts'
import type { Limiter } from '../lib/limiter.ts'
import type { LiveSettings } from '../lib/live-settings.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Mailer } from '../lib/mailer.ts'
import type { GuardedFetch } from '../lib/outbound.ts'
import type { TryConnect } from '../lib/tcp.ts'
import type { Redis } from '../lib/redis.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { Changes } from './changes.ts'

/** What every feature gets from outside: nothing in it is global, so a test brings its own. */
export interface Deps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly settings: LiveSettings
  readonly secrets: SecretBox
  readonly fetch: GuardedFetch
  /** Connections that are no HTTP requests, through the same guard. */
  readonly tryConnect: TryConnect
  /** For addresses that a customer named: public ones only, whatever the settings allow. */
  readonly publicFetch: GuardedFetch
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
  /** What processes share, when they do. Optional at any moment: whoever asks it goes on without it. */
  readonly redis: Redis | undefined
  /** Limits that hold over all processes. */
  readonly limiter: Limiter
  /** What this process counts for GET /metrics. */
  readonly metrics: Metrics
}
