import { expect, test } from 'bun:test'
import { money, MONEY_ONE } from '../../../contract/money.ts'
import { SecretBox } from '../../lib/secret-box.ts'
import { buildSnapshot, keysOf } from './build.ts'
import type { RoutingRows } from './store.ts'

/** Far above what it takes here (see the test's own time); a quadratic builder would need minutes. */
const MAX_BUILD_MS = 1_000

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

test('10,000 channels and 5,000 models are built well within a second, keys opened', () => {
  const one = money(MONEY_ONE)
  const secrets = new SecretBox('only for tests: 7Yw2pX9qKc4Zr8Vt1Nb6')
  const card = JSON.stringify({
    prices: { input: '2.5', output: '10', cachedInput: '1.25' },
    tiers: { input: [[1000, '5', '']] },
    quota_type: 0,
  })
  const NO_LIMITS = { rate_limit_rpm: null, rate_limit_tpm: null, rate_limit_concurrency: null }
  const rows: RoutingRows = {
    groups: range(20).map((id) => ({ id, name: `g${id}`, multiplier: one, ...NO_LIMITS })),
    userChannelGroups: [],
    userChannels: range(50).map((id) => ({
      id,
      name: `u${id}`,
      description: '',
      multiplier: one,
      routing_algorithm: 'priority',
      enabled: 1,
      hedge_delay_ms: null,
    })),
    channels: range(10_000).map((id) => ({
      id,
      user_channel_id: (id % 50) + 1,
      name: `c${id}`,
      type: 'openai',
      base_url: 'https://up.example.test',
      api_key_sealed: secrets.seal('channel-key', `key ${id}`),
      multiplier: one,
      priority: 1,
      weight: 1,
      auto_disabled_at: null,
      auto_disabled_reason: '',
      first_byte_timeout_seconds: null,
      ...NO_LIMITS,
    })),
    models: range(5_000).map((id) => ({
      id,
      model_name: `m${id}`,
      provider: 'openai',
      provider_icon_url: '',
      price_card: card,
      free: 0,
      max_output_tokens: null,
      enabled: 1,
    })),
    metaModels: [],
    channelModels: range(50_000).map((id) => ({
      id,
      channel_id: (id % 10_000) + 1,
      model_id: (id % 5_000) + 1,
      upstream_model_name: 'up',
      cost_card: card,
      first_byte_timeout_seconds: null,
      ...NO_LIMITS,
    })),
    channelOverrides: range(10_000).map((id) => ({ owner_id: id, group_id: 1, multiplier: one })),
    channelModelOverrides: range(10_000).map((id) => ({ owner_id: id, group_id: 1, multiplier: one })),
  }
  const started = performance.now()
  const snapshot = buildSnapshot(rows, 1, {
    openKeys: (sealed) => keysOf(secrets.open('channel-key', sealed)),
    broken: (what, id, error) => {
      throw new Error(`${what} ${id}`, { cause: error })
    },
  })
  expect(performance.now() - started).toBeLessThan(MAX_BUILD_MS)
  expect(snapshot.models.size).toBe(5_000)
  expect(snapshot.models.get('m1')?.all.length).toBe(10)
})
