import type { Database } from '../../db/open.ts'
import type { ResponseTable } from '../../db/schema.ts'
import { prepare, type Statement } from '../../db/statement.ts'
import type { Operation } from '../../db/writer.ts'

/** Statements of the table `responses`, compiled once. */
export class ResponseStore {
  readonly #put: Statement<ResponseTable>

  constructor(db: Database) {
    this.#put = prepare<ResponseTable>(db.query, (p, q) =>
      q
        .insertInto('responses')
        .values({
          response_id: p.response_id,
          user_id: p.user_id,
          channel_id: p.channel_id,
          model_name: p.model_name,
          created_at: p.created_at,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['response_id', 'user_id'])
            .doUpdateSet({ channel_id: p.channel_id, model_name: p.model_name, created_at: p.created_at }),
        ),
    )
  }

  /** Keeps a row; an id that an upstream gives twice is the newer one. */
  put(row: ResponseTable): Operation<void> {
    return async (tx) => {
      await tx.run(this.#put, row)
    }
  }
}

/** All owners of an id: two upstreams may give the same. */
export function findResponses(db: Database['query'], responseId: string): Promise<ResponseTable[]> {
  return db.selectFrom('responses').selectAll().where('response_id', '=', responseId).execute()
}

export async function deleteResponse(db: Database['query'], responseId: string, userId: number): Promise<void> {
  await db.deleteFrom('responses').where('response_id', '=', responseId).where('user_id', '=', userId).execute()
}

export async function deleteResponsesBefore(db: Database['query'], time: number): Promise<void> {
  await db.deleteFrom('responses').where('created_at', '<', time).execute()
}
