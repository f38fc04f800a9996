import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { OidcFlowTable } from '../../db/schema.ts'

type Tx = Database['query']
type FlowRow = Selectable<OidcFlowTable>

export async function insertFlow(tx: Tx, flow: FlowRow): Promise<void> {
  await tx.insertInto('oidc_flows').values(flow).execute()
}

/** Takes a flow away: of many who bring its state one gets it. */
export function takeFlow(tx: Tx, id: string): Promise<FlowRow | undefined> {
  return tx.deleteFrom('oidc_flows').where('id', '=', id).returningAll().executeTakeFirst()
}

export async function deleteExpiredFlows(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('oidc_flows').where('expires_at', '<=', now).execute()
}
