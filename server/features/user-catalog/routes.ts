import { getUserCatalog } from '../../../contract/api/user-catalog.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { usableChannels } from '../api-keys/service.ts'
import { selectCatalog } from './store.ts'

/** What a user can bind a key to. */
export function userCatalogRoutes(deps: Deps): Route[] {
  return [
    bind(getUserCatalog, async ({ caller }) => {
      const usable = new Set(await usableChannels(deps, caller.userId))
      return (await selectCatalog(deps.db.query))
        .filter(({ id }) => usable.has(id))
        .map(({ id, name, description, models }) => ({
          id,
          name,
          description,
          enabled: true as const,
          models: [...models.keys()],
          model_icons: Object.fromEntries([...models].filter(([, icon]) => icon !== '')),
        }))
    }),
  ]
}
