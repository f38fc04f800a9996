import { queryOptions, type QueryClient } from '@tanstack/react-query'
import { call } from './http.ts'
import type {
  ApiKey,
  CatalogChannel,
  Channel,
  LogRow,
  Model,
  Page,
  Passkey,
  PasswordMethod,
  PublicModel,
  Receipt,
  SecondFactor,
  Session,
  User,
  UserChannel,
  UserStats,
} from './types.ts'

/** Lists may be this old before a visit asks again; money is always asked for (console.md 4.3). */
const LIST_STALE_MS = 15_000
const CATALOGUE_STALE_MS = 5 * 60_000

export const meQuery = queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => call<User>('GET', '/api/user/me', { signal }) })
export const statsQuery = queryOptions({
  queryKey: ['stats'],
  queryFn: ({ signal }) => call<UserStats>('GET', '/api/user/stats', { signal }),
})
export const catalogQuery = queryOptions({
  queryKey: ['catalog'],
  staleTime: CATALOGUE_STALE_MS,
  queryFn: ({ signal }) => call<CatalogChannel[]>('GET', '/api/user/catalog', { signal }),
})
export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  staleTime: LIST_STALE_MS,
  queryFn: ({ signal }) => call<ApiKey[]>('GET', '/api/user/api-keys', { signal }),
})
export const publicModelsQuery = queryOptions({
  queryKey: ['public-models'],
  staleTime: CATALOGUE_STALE_MS,
  queryFn: ({ signal }) => call<PublicModel[]>('GET', '/api/public/models', { signal }),
})
export const channelsQuery = queryOptions({
  queryKey: ['channels'],
  staleTime: LIST_STALE_MS,
  queryFn: ({ signal }) => call<Channel[]>('GET', '/api/channels', { signal }),
})
export const userChannelsQuery = queryOptions({
  queryKey: ['user-channels'],
  staleTime: LIST_STALE_MS,
  queryFn: ({ signal }) => call<UserChannel[]>('GET', '/api/user-channels', { signal }),
})
export const modelsQuery = queryOptions({
  queryKey: ['models'],
  staleTime: LIST_STALE_MS,
  queryFn: ({ signal }) => call<Model[]>('GET', '/api/models', { signal }),
})

/** One page of the caller's own calls, newest first. */
export const logsQuery = (page: number, pageSize: number) =>
  queryOptions({
    queryKey: ['logs', page, pageSize],
    queryFn: ({ signal }) => call<Page<LogRow>>('GET', `/api/user/logs?page=${page}&page_size=${pageSize}`, { signal }),
  })

/** The receipt of one call, by id or request id. It never changes. */
export const receiptQuery = (id: string) =>
  queryOptions({
    queryKey: ['receipt', id],
    staleTime: Infinity,
    queryFn: ({ signal }) => call<Receipt>('GET', `/api/user/logs/${encodeURIComponent(id)}`, { signal }),
  })

export const passwordMethodQuery = queryOptions({
  queryKey: ['password-method'],
  queryFn: ({ signal }) => call<PasswordMethod>('GET', '/api/user/password/method', { signal }),
})
export const passkeysQuery = queryOptions({
  queryKey: ['passkeys'],
  queryFn: ({ signal }) => call<Passkey[]>('GET', '/api/user/passkeys', { signal }),
})
export const secondFactorQuery = queryOptions({
  queryKey: ['second-factor'],
  queryFn: ({ signal }) => call<SecondFactor>('GET', '/api/user/second-factor', { signal }),
})
export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => call<Session[]>('GET', '/api/user/sessions', { signal }),
})

/** After a call was made: what it may have changed. */
export async function invalidateMoney(client: QueryClient): Promise<void> {
  await Promise.all(['me', 'stats', 'logs', 'api-keys'].map((name) => client.invalidateQueries({ queryKey: [name] })))
}
