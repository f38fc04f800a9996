import type { JsonObject } from '../../contract/json.ts'
import type { CatalogModel } from '../features/catalog/snapshot.ts'
import { isServed, type Reach } from './reach.ts'

/** What this caller can really call now, by name (contract.md 3.4). */
export function reachableModels(reach: Reach): CatalogModel[] {
  const { caller, snapshot } = reach
  const models: CatalogModel[] = []
  for (const model of snapshot.models.values()) if (caller.mayUseModel(model.name) && isServed(model, reach)) models.push(model)
  for (const meta of snapshot.metaModels.values()) {
    // Without one model that it can reach, a meta model is none (W32).
    const target = caller.mayUseModel(meta.name) && [...meta.targets.values()].find((model) => isServed(model, reach))
    if (target) models.push(target)
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A model as OpenAI shows it. When it was made is not known. */
export function openaiModel({ name }: CatalogModel): JsonObject {
  return { id: name, object: 'model', created: 0, owned_by: 'tollgate' }
}

/** `GET /v1/models`: all of them, OpenAI has no pages here. */
export function openaiList(models: readonly CatalogModel[], _query: URLSearchParams): JsonObject {
  return { object: 'list', data: models.map(openaiModel) }
}

/** A model as Anthropic shows it; the epoch stands for an unknown date, as theirs does. */
export function claudeModel({ name }: CatalogModel): JsonObject {
  return { type: 'model', id: name, display_name: name, created_at: '1970-01-01T00:00:00Z' }
}

/** Largest page of either maker. */
const MAX_PAGE = 1_000

/** `GET /v1/models` with `anthropic-version`: pages by `limit`, `after_id`, `before_id`. */
export function claudeList(models: readonly CatalogModel[], query: URLSearchParams): JsonObject {
  const limit = pageSize(query.get('limit'))
  const after = query.get('after_id')
  const before = query.get('before_id')
  const rest = models.filter(({ name }) => (after === null || name > after) && (before === null || name < before))
  const page = before === null ? rest.slice(0, limit) : rest.slice(-limit)
  return {
    data: page.map(claudeModel),
    has_more: page.length < rest.length,
    first_id: page[0]?.name ?? null,
    last_id: page.at(-1)?.name ?? null,
  }
}

/** What every model here can be asked for through Gemini's addresses. */
const GEMINI_METHODS = ['generateContent', 'streamGenerateContent', 'countTokens']

/** A model as Google shows it; limits that are not known are left out. */
export function geminiModel({ name, maxOutputTokens }: CatalogModel): JsonObject {
  return {
    name: `models/${name}`,
    displayName: name,
    supportedGenerationMethods: GEMINI_METHODS,
    ...(maxOutputTokens !== null && { outputTokenLimit: maxOutputTokens }),
  }
}

/** `GET /v1beta/models`: pages by `pageSize`; the token is the last name of the page before. */
export function geminiList(models: readonly CatalogModel[], query: URLSearchParams): JsonObject {
  const after = query.get('pageToken') ?? ''
  const rest = models.filter(({ name }) => name > after)
  const page = rest.slice(0, pageSize(query.get('pageSize')))
  const last = page.at(-1)
  return { models: page.map(geminiModel), ...(last && page.length < rest.length && { nextPageToken: last.name }) }
}

function pageSize(asked: string | null): number {
  const size = Number(asked ?? MAX_PAGE)
  return Number.isSafeInteger(size) && size > 0 ? Math.min(size, MAX_PAGE) : MAX_PAGE
}
