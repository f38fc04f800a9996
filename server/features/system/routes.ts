import { health, ready } from '../../../contract/api/system.ts'
import { AppError } from '../../../contract/errors.ts'
import { ping } from '../../db/ping.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'

/** What watches over the process asks. */
export function systemRoutes(deps: Deps, isDraining: () => boolean): Route[] {
  return [
    bind(health, () => ({ status: 'ok' as const })),
    bind(ready, async () => {
      if (isDraining()) throw new AppError('shutting_down', { retryAfterSeconds: 5 })
      try {
        await ping(deps.db)
      } catch (cause) {
        throw new AppError('unavailable', { cause, retryAfterSeconds: 1 })
      }
      return { status: 'ok' as const }
    }),
  ]
}
