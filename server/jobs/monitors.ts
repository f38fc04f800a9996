import { AppError } from '../../contract/errors.ts'
import type { Catalog } from '../features/catalog/service.ts'
import { recordCheck } from '../features/status/record.ts'
import type { CheckNow } from '../features/status/routes.ts'
import { claimMonitors, requireMonitor } from '../features/status/service.ts'
import type { Deps } from '../http/deps.ts'
import { describeError } from '../lib/log.ts'
import { checkOf } from './monitor-checks.ts'

/** How often it is looked what is due: a tenth of the shortest interval. */
export const MONITORS_MS = 1_000
/** Checks at once, so that slow targets delay no others (W86); what is due beyond that comes with the next look. */
const AT_ONCE = 32

/** Checks what is due. Each check runs by itself: nobody waits for a slow one. */
export class Monitors {
  readonly #deps: Deps
  readonly #catalog: Catalog
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(deps: Deps, catalog: Catalog) {
    this.#deps = deps
    this.#catalog = catalog
  }

  /** Starts the checks that are due. */
  async run(): Promise<void> {
    for (const { id } of await claimMonitors(this.#deps, AT_ONCE - this.#running.size)) {
      const check = this.#check(id)
        .catch((error: unknown) => {
          if (this.#stopping.signal.aborted || (error instanceof AppError && error.code === 'monitor_not_found')) return
          this.#deps.log.error('a status check could not be kept', { monitor_id: id, cause: describeError(error) })
        })
        .finally(() => this.#running.delete(running))
      const running: Promise<void> = check.then(() => undefined)
      this.#running.add(running)
    }
  }

  /** Checks one monitor now, whether it is due or not. @throws AppError monitor_not_found */
  readonly checkNow: CheckNow = (id) => this.#check(id)

  /** Breaks off what runs; resolves when nothing does. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  async #check(id: number) {
    const monitor = await requireMonitor(this.#deps, id)
    const found = await checkOf(monitor, this.#stopping.signal, this.#deps, this.#catalog)
    this.#stopping.signal.throwIfAborted()
    const row = await recordCheck(this.#deps, id, found)
    if (!row) throw new AppError('monitor_not_found')
    return row
  }
}
