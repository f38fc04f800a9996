import type { Database } from '../../db/open.ts'
import { deleteResponse, deleteResponsesBefore, findResponses, ResponseStore } from './store.ts'

/** OpenAI keeps a stored response for 30 days; what leads to it is of no use after that. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000
/** How often old rows are swept. */
export const SWEEP_RESPONSES_MS = 60 * 60 * 1000

/** Where a response lies: only its owner may read it, and only the channel that made it has it. */
export interface Stored {
  channelId: number
  modelName: string
}

/** Remembers which channel made which response (`/v1/responses`). */
export class StoredResponses {
  readonly #db: Database
  readonly #store: ResponseStore

  constructor(db: Database) {
    this.#db = db
    this.#store = new ResponseStore(db)
  }

  /** Committed with whatever else waits, so before a settlement that is asked for later. May be lost with the power, not with the process. */
  remember(row: { responseId: string; userId: number; channelId: number; modelName: string; now: number }): Promise<void> {
    const put = this.#store.put({
      response_id: row.responseId,
      user_id: row.userId,
      channel_id: row.channelId,
      model_name: row.modelName,
      created_at: row.now,
    })
    return this.#db.writer.submit(put, { durable: false })
  }

  /** `own` where this user has it; `foreign`: only others do. */
  async find(responseId: string, userId: number): Promise<{ own: Stored | undefined; foreign: boolean }> {
    const rows = await findResponses(this.#db.query, responseId)
    const row = rows.find(({ user_id: owner }) => owner === userId)
    return { own: row && { channelId: row.channel_id, modelName: row.model_name }, foreign: row === undefined && rows.length > 0 }
  }

  forget(responseId: string, userId: number): Promise<void> {
    return deleteResponse(this.#db.query, responseId, userId)
  }
}

/** Drops what no upstream has any more. */
export function sweepResponses(deps: { db: Database; clock: { now(): number } }): Promise<void> {
  return deleteResponsesBefore(deps.db.query, deps.clock.now() - KEPT_MS)
}
