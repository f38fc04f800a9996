import type { Selectable } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { ChannelModelTable, ChannelTable, GroupTable, MetaModelTable, ModelTable, UserChannelTable } from '../../db/schema.ts'
import type { Money } from '../../../contract/money.ts'
import { limitKeys } from '../../lib/limit-fields.ts'

type LimitColumn = (typeof limitKeys)[number]
export type GroupRow = Pick<Selectable<GroupTable>, 'id' | 'name' | 'multiplier' | LimitColumn>
export type UserChannelRow = Pick<
  Selectable<UserChannelTable>,
  'id' | 'name' | 'description' | 'multiplier' | 'routing_algorithm' | 'enabled' | 'hedge_delay_ms'
>
export type ChannelRow = Pick<
  Selectable<ChannelTable>,
  | 'id'
  | 'user_channel_id'
  | 'name'
  | 'type'
  | 'base_url'
  | 'api_key_sealed'
  | 'multiplier'
  | 'priority'
  | 'weight'
  | 'auto_disabled_at'
  | 'auto_disabled_reason'
  | 'first_byte_timeout_seconds'
  | LimitColumn
>
export type ModelRow = Pick<
  Selectable<ModelTable>,
  'id' | 'model_name' | 'provider' | 'provider_icon_url' | 'price_card' | 'free' | 'max_output_tokens' | 'enabled'
>
export type ChannelModelRow = Pick<
  Selectable<ChannelModelTable>,
  'id' | 'channel_id' | 'model_id' | 'upstream_model_name' | 'cost_card' | 'first_byte_timeout_seconds' | LimitColumn
>
export type MetaModelRow = Selectable<MetaModelTable>
export interface OverrideRow {
  owner_id: number
  group_id: number
  multiplier: Money
}

/** Everything routing needs, as it is stored. */
export interface RoutingRows {
  groups: GroupRow[]
  userChannels: UserChannelRow[]
  /** Which groups may use a user channel; one without a row is open to all. */
  userChannelGroups: { user_channel_id: number; group_id: number }[]
  /** Enabled ones that belong to a user channel, best first. */
  channels: ChannelRow[]
  models: ModelRow[]
  /** Enabled ones. */
  channelModels: ChannelModelRow[]
  /** Enabled ones. */
  metaModels: MetaModelRow[]
  channelOverrides: OverrideRow[]
  channelModelOverrides: OverrideRow[]
}

/**
 * Reads all routing tables, one query each. They need not be of one instant: whoever changes them publishes the change
 * after his commit, which reads them again; a row that points to one not read yet is left out until then.
 */
export async function readRouting(db: Database['query']): Promise<RoutingRows> {
  const [groups, userChannels, userChannelGroups, channels, models, channelModels, metaModels, channelOverrides, channelModelOverrides] =
    await Promise.all([
      db
        .selectFrom('groups')
        .select(['id', 'name', 'multiplier', ...limitKeys])
        .execute(),
      db
        .selectFrom('user_channels')
        .select(['id', 'name', 'description', 'multiplier', 'routing_algorithm', 'enabled', 'hedge_delay_ms'])
        .execute(),
      db.selectFrom('allowed_groups').select(['user_channel_id', 'group_id']).execute(),
      db
        .selectFrom('channels')
        .select([
          'id',
          'user_channel_id',
          'name',
          'type',
          'base_url',
          'api_key_sealed',
          'multiplier',
          'priority',
          'weight',
          'auto_disabled_at',
          'auto_disabled_reason',
          'first_byte_timeout_seconds',
          ...limitKeys,
        ])
        .where('enabled', '=', 1)
        .where('user_channel_id', 'is not', null)
        .orderBy('priority', 'desc')
        .orderBy('weight', 'desc')
        .orderBy('id')
        .execute(),
      db
        .selectFrom('models')
        .select(['id', 'model_name', 'provider', 'provider_icon_url', 'price_card', 'free', 'max_output_tokens', 'enabled'])
        .execute(),
      db
        .selectFrom('channel_models')
        .select(['id', 'channel_id', 'model_id', 'upstream_model_name', 'cost_card', 'first_byte_timeout_seconds', ...limitKeys])
        .where('enabled', '=', 1)
        .orderBy('id')
        .execute(),
      db.selectFrom('meta_models').selectAll().where('enabled', '=', 1).orderBy('id').execute(),
      db.selectFrom('channel_group_multipliers').select(['channel_id as owner_id', 'group_id', 'multiplier']).execute(),
      db.selectFrom('channel_model_group_multipliers').select(['channel_model_id as owner_id', 'group_id', 'multiplier']).execute(),
    ])
  return { groups, userChannels, userChannelGroups, channels, models, channelModels, metaModels, channelOverrides, channelModelOverrides }
}

/** The names of all models and meta models. */
export async function selectModelNames(db: Database['query']): Promise<{ models: string[]; metaModels: string[] }> {
  const [models, metaModels] = [
    await db.selectFrom('models').select('model_name').execute(),
    await db.selectFrom('meta_models').select('name').execute(),
  ]
  return { models: models.map(({ model_name: name }) => name), metaModels: metaModels.map(({ name }) => name) }
}

/** Whether a meta model has the name. */
export async function isMetaModelName(db: Database['query'], name: string): Promise<boolean> {
  return (await db.selectFrom('meta_models').select('id').where('name', '=', name).executeTakeFirst()) !== undefined
}
