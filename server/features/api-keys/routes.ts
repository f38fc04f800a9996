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
import type { Deps } from '../../http/deps.ts'
import { changeKey, createKey, deleteKey, keysOf, resetUsage, rotateDefaultKey, rotateKey } from './service.ts'

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
    bind(createApiKey, ({ caller, body }) => createKey(deps, caller.userId, body)),
    bind(updateApiKey, ({ caller, params, body }) => changeKey(deps, caller.userId, params.id, body)),
    bind(deleteApiKey, async ({ caller, params }) => {
      await deleteKey(deps, caller.userId, params.id)
      return { message: 'API key deleted' }
    }),
    bind(rotateLegacyKey, ({ caller }) => rotateDefaultKey(deps, caller.userId)),
    bind(rotateApiKey, ({ caller, params, body }) => rotateKey(deps, caller.userId, params.id, body?.grace_seconds ?? 0)),
    bind(resetApiKeyUsage, ({ caller, params }) => resetUsage(deps, caller.userId, params.id)),
  ]
}
