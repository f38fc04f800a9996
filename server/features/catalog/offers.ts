import type { CatalogModel, CatalogUserChannel, Snapshot } from './snapshot.ts'

/** A model for sale and where it can be had, by the name of the user channel. */
export interface Offer {
  model: CatalogModel
  userChannels: CatalogUserChannel[]
}

/** True when a call of the model would be served and paid: enabled, and priced or free on purpose (W43). */
function isForSale(model: CatalogModel): boolean {
  return model.enabled && (model.priced || model.free)
}

/** A user channel that is limited to groups is nothing that everybody is to see. */
export function isOpenToAll({ allowedGroups }: CatalogUserChannel): boolean {
  return allowedGroups === undefined
}

/** Models for sale to everybody that something enabled serves, by name. */
export function offersOf(snapshot: Snapshot): Offer[] {
  const offers: Offer[] = []
  for (const model of snapshot.models.values()) {
    if (!isForSale(model)) continue
    const userChannels = [...model.byUserChannel.keys()].flatMap((id) => snapshot.userChannels.get(id) ?? []).filter(isOpenToAll)
    if (userChannels.length === 0) continue
    offers.push({ model, userChannels: userChannels.toSorted((a, b) => compare(a.name, b.name)) })
  }
  return offers.toSorted((a, b) => compare(a.model.name, b.model.name))
}

/** By code unit: the same order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
