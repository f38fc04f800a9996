import type { Deps } from '../../http/deps.ts'
import { hasFlag } from '../settings/service.ts'

/** True until the one setup is done; never again, also when no administrator is left (W05, W17). */
export async function setupRequired(deps: Pick<Deps, 'db'>): Promise<boolean> {
  return !(await hasFlag(deps.db.query, 'installation.setup_completed'))
}
