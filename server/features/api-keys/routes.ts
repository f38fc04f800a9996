import {
  createApiKey,
  deleteApiKey,
  listApiKeys,
  resetApiKeyUsage,
  rotateApiKey,
  rotateLegacyKey,
  updateApiKey,
} from '../../../contract/api/api-keys.ts'
import { pageOf } from '../../../contract/api/common.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Caller } from '../../http/caller.ts'
import type { Deps } from '../../http/deps.ts'
import { changeKey, createKey, deleteKey, resetUsage, rotateDefaultKey, rotateKey, type Owner } from './edit.ts'
import { keysOf } from './service.ts'

/** A user's own keys. */
export function apiKeysRoutes(deps: Deps): Route[] {
  return [
    bind(listApiKeys, async ({ caller, query }) => {
      const keys = await keysOf(deps, caller.userId)
      const page = pageOf(query)
      if (!page) return keys
      const from = (page.page - 1) * page.pageSize
      return { items: keys.slice(from, from + page.pageSize), total: keys.length, page: page.page, page_size: page.pageSize }
    }),
    bind(createApiKey, (call) => createKey(deps, ownerOf(call), call.body)),
    bind(updateApiKey, (call) => changeKey(deps, ownerOf(call), call.params.id, call.body)),
    bind(deleteApiKey, async (call) => {
      await deleteKey(deps, ownerOf(call), call.params.id)
      return { message: 'API key deleted' }
    }),
    bind(rotateLegacyKey, (call) => rotateDefaultKey(deps, ownerOf(call))),
    bind(rotateApiKey, (call) => rotateKey(deps, ownerOf(call), call.params.id, call.body?.grace_seconds ?? 0)),
    bind(resetApiKeyUsage, (call) => resetUsage(deps, ownerOf(call), call.params.id)),
  ]
}

function ownerOf({ caller, ip }: { caller: Caller; ip: string }): Owner {
  return { userId: caller.userId, ip }
}
