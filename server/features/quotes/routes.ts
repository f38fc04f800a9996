import { publicQuote, userQuote } from '../../../contract/api/quotes.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { RateLimiter } from '../../lib/rate-limit.ts'
import { groupIdsOf, usableChannels } from '../api-keys/service.ts'
import type { Catalog } from '../catalog/service.ts'
import { quoteFor } from './service.ts'

/** Questions of one address in a minute: a calculator that follows each key press asks less. */
const MAX_PER_MINUTE = 600

/** What a call would cost. */
export function quotesRoutes(deps: Deps, catalog: Catalog): Route[] {
  const limiter = new RateLimiter(deps.clock)
  return [
    bind(publicQuote, ({ body, ip }) => {
      const wait = limiter.take(ip, MAX_PER_MINUTE)
      if (wait > 0) throw new AppError('too_many_requests', { retryAfterSeconds: wait })
      return quoteFor(catalog.snapshot, body, undefined)
    }),
    bind(userQuote, async ({ body, caller }) =>
      quoteFor(catalog.snapshot, body, {
        groupIds: await groupIdsOf(deps, caller.userId),
        mode: deps.settings.text('group_multiplier_mode') === 'min' ? 'min' : 'max',
        userChannelIds: await usableChannels(deps, caller.userId),
      }),
    ),
  ]
}
