import type { Database } from '../../db/open.ts'

type Query = Database['query']

export interface ChannelModels {
  id: number
  name: string
  description: string
  models: Map<string, string>
}

/** Enabled user channels by name, each with the models (and their icons) that something enabled serves. */
export async function selectCatalog(db: Query): Promise<ChannelModels[]> {
  const channels = await db
    .selectFrom('user_channels')
    .select(['id', 'name', 'description'])
    .where('enabled', '=', 1)
    .orderBy('name')
    .execute()
  const rows = await db
    .selectFrom('channels')
    .innerJoin('channel_models', 'channel_models.channel_id', 'channels.id')
    .innerJoin('models', 'models.id', 'channel_models.model_id')
    .select(['channels.user_channel_id', 'models.model_name', 'models.provider_icon_url'])
    .distinct()
    .where('channels.enabled', '=', 1)
    .where('channel_models.enabled', '=', 1)
    .where('models.enabled', '=', 1)
    .orderBy('models.model_name')
    .execute()
  const models = new Map<number, Map<string, string>>()
  for (const { user_channel_id: id, model_name: name, provider_icon_url: icon } of rows) {
    if (id === null) continue
    const own = models.get(id) ?? new Map<string, string>()
    own.set(name, icon)
    models.set(id, own)
  }
  return channels.map((channel) => ({ ...channel, models: models.get(channel.id) ?? new Map<string, string>() }))
}
