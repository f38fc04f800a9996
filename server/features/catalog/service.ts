import { money, MONEY_ONE, type Money } from '../../../contract/money.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { buildSnapshot, keysOf } from './build.ts'
import { EMPTY_SNAPSHOT, type Candidate, type Snapshot } from './snapshot.ts'
import { readRouting } from './store.ts'

/** What a channel's key is sealed for: the channels feature seals it, the catalog opens it. */
export const CHANNEL_KEY_PURPOSE = 'channel-key'

/**
 * The routing data in memory: one immutable snapshot, never read per request from the database. It follows each
 * published change of routing before the change's own answer leaves.
 */
export class Catalog {
  #snapshot: Snapshot = EMPTY_SNAPSHOT
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  /** Opened keys by their sealed text: a rebuild decrypts only what changed. */
  #keys: ReadonlyMap<string, readonly string[]> = new Map()
  readonly #deps: Pick<Deps, 'db' | 'secrets' | 'log'>

  constructor(deps: Pick<Deps, 'db' | 'secrets' | 'log' | 'changes'>) {
    this.#deps = deps
    deps.changes.listen((change) => (change.type === 'routing' || change.type === 'everything' ? this.load() : undefined))
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /**
   * Reads everything anew; resolves when a snapshot that began after this call is in force. A load under way may have
   * read before the caller's commit, so one more follows it, shared by all who ask meanwhile.
   */
  load(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#rebuild().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.load()
      })
    return this.#next
  }

  async #rebuild(): Promise<void> {
    const { db, secrets, log } = this.#deps
    const rows = await readRouting(db.query)
    const keys = new Map<string, readonly string[]>()
    this.#snapshot = buildSnapshot(rows, this.#snapshot.version + 1, {
      openKeys: (sealed) => {
        const opened = this.#keys.get(sealed) ?? keysOf(secrets.open(CHANNEL_KEY_PURPOSE, sealed))
        keys.set(sealed, opened)
        return opened
      },
      broken: (what, id, error) => log.error(`a ${what} cannot be used`, { id, cause: describeError(error) }),
    })
    this.#keys = keys
  }
}

/** Prices and multipliers as the database has them, for tools beside a running server: no call is made, so the keys stay sealed. */
export async function readPrices(db: Deps['db']['query'], broken: (what: string, id: number) => void): Promise<Snapshot> {
  return buildSnapshot(await readRouting(db), 0, { openKeys: () => [''], broken })
}

/** Which level a group's multiplier came from (contract.md 7.5). */
export type MultiplierSource = 'group' | 'channel' | 'model'

export interface GroupMultiplier {
  multiplier: Money
  source: MultiplierSource
}

/**
 * The group factor of a call on a candidate: each group's own multiplier, replaced by the channel's override for it,
 * replaced by the channel model's; of several groups the lowest or the highest. Without a known group it is 1.
 */
export function multiplierFor(snapshot: Snapshot, candidate: Candidate, groupIds: readonly number[], mode: 'min' | 'max'): GroupMultiplier {
  let best: GroupMultiplier | undefined
  for (const id of groupIds) {
    const found = ofGroup(snapshot, candidate, id)
    if (found && (!best || (mode === 'min' ? found.multiplier < best.multiplier : found.multiplier > best.multiplier))) best = found
  }
  return best ?? { multiplier: money(MONEY_ONE), source: 'group' }
}

function ofGroup(snapshot: Snapshot, candidate: Candidate, groupId: number): GroupMultiplier | undefined {
  const model = candidate.groupMultipliers.get(groupId)
  if (model !== undefined) return { multiplier: model, source: 'model' }
  const channel = candidate.channel.groupMultipliers.get(groupId)
  if (channel !== undefined) return { multiplier: channel, source: 'channel' }
  const group = snapshot.groups.get(groupId)
  return group && { multiplier: group.multiplier, source: 'group' }
}
