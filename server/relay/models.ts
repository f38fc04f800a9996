import type { KeyCaller } from '../features/api-keys/cache.ts'
import type { Snapshot } from '../features/catalog/snapshot.ts'

export interface ModelList { object: 'list'; data: { id: string; object: 'model'; created: number; owned_by: string }[] }

/** `GET /v1/models`: what this caller can really call now, by name (contract.md 3.4). */
export function listModels(caller: KeyCaller, snapshot: Snapshot): ModelList {
  const names: string[] = []
  for (const model of snapshot.models.values()) {
    if (!model.enabled || (!model.priced && !model.free) || !caller.mayUseModel(model.name)) continue
    const reachable = caller.keyId === null
      ? model.all.length > 0
      : caller.allowedUserChannels.some((id) => (model.byUserChannel.get(id)?.length ?? 0) > 0)
    if (reachable) names.push(model.name)
  }
  names.sort()
  return { object: 'list', data: names.map((id) => ({ id, object: 'model', created: 0, owned_by: 'tollgate' })) }
}
