import { AppError } from '../../../contract/errors.ts'
import type { ChannelAccess } from '../channels/health.ts'
import { ownList, publicSource, sourceAt, type Source } from './upstream.ts'

/** Where model lists are asked for, by format, in order (contract.md 10.1). @throws AppError sync_format_unknown | sync_path_missing */
export function modelSources(access: ChannelAccess, format: string, path: string): Source[] {
  switch (format) {
    case '':
    case 'auto': {
      const own = ownList(access)
      const tried = ['/v1/models', '/models', '/api/models'].map((at) => sourceAt(access, at, true))
      return distinct(own ? [own, ...tried] : tried)
    }
    case 'openai_models':
    case 'openai':
      return [sourceAt(access, '/v1/models', true)]
    case 'claude_models':
    case 'claude':
      return [ownList({ ...access, protocol: 'claude', vendor: undefined })].flatMap((source) => source ?? [])
    case 'gemini_models':
    case 'gemini':
      return [ownList({ ...access, protocol: 'gemini', vendor: undefined })].flatMap((source) => source ?? [])
    case 'generic_models':
    case 'models':
      return [sourceAt(access, '/models', true)]
    case 'api_models':
    case 'oneapi_models':
      return [sourceAt(access, '/api/models', true)]
    case 'custom':
      return [sourceAt(access, customPath(path), true)]
    default:
      throw new AppError('sync_format_unknown', { message: `unsupported model list sync format: ${shown(format)}`, param: 'format' })
  }
}

/** Public lists that are no upstream's: read without any key, of any channel. */
const publicLists: Readonly<Record<string, string>> = {
  openrouter: 'https://openrouter.ai/api/v1/models',
  models_dev: 'https://models.dev/api.json',
  litellm: 'https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json',
}

/** Where price lists are asked for, by format, in order (contract.md 10.2). @throws AppError sync_format_unknown | sync_path_missing */
export function priceSources(access: ChannelAccess, format: string, path: string): Source[] {
  const open = Object.hasOwn(publicLists, format) ? publicLists[format] : undefined
  if (open !== undefined) return [publicSource(format, open)]
  switch (format) {
    case '':
    case 'auto': {
      // A public price list takes no key; where one is asked for, the others are tried.
      const tried = [
        sourceAt(access, '/api/pricing', false),
        ...['/api/prices', '/models', '/api/models'].map((at) => sourceAt(access, at, true)),
      ]
      const { vendor } = access
      const own = vendor && 'format' in vendor.prices && vendor.prices.format === 'generic_models' ? ownList(access) : undefined
      return distinct(own ? [own, ...tried] : tried)
    }
    case 'newapi_prices':
    case 'newapi_pricing':
    case 'api_pricing':
      return [sourceAt(access, '/api/pricing', false)]
    case 'newapi_ratios':
    case 'ratio_config':
      return [sourceAt(access, '/api/ratio_config', false)]
    case 'api_prices':
    case 'legacy_api_prices':
      return [sourceAt(access, '/api/prices', true)]
    case 'generic_models':
    case 'models': {
      const own = ownList(access)
      return distinct(own && access.vendor ? [own, sourceAt(access, '/models', true)] : [sourceAt(access, '/models', true)])
    }
    case 'api_models':
    case 'oneapi_models':
      return [sourceAt(access, '/api/models', true)]
    case 'custom':
      return [sourceAt(access, customPath(path), true)]
    default:
      throw new AppError('sync_format_unknown', { message: `unsupported sync format: ${shown(format)}`, param: 'format' })
  }
}

/** An absolute address is reduced to its path: the key goes nowhere but to the channel's own host. */
function customPath(path: string): string {
  if (path === '') throw new AppError('sync_path_missing', { param: 'path' })
  if (URL.canParse(path)) {
    const { pathname, search } = new URL(path)
    return `${pathname}${search}`
  }
  return path.startsWith('/') ? path : `/${path}`
}

function distinct(sources: readonly Source[]): Source[] {
  const seen = new Set<string>()
  return sources.filter(({ url }) => {
    const bare = url.replace(/\?.*$/, '')
    return seen.has(bare) ? false : seen.add(bare)
  })
}

/** What somebody sent, as far as it is worth repeating. */
function shown(format: string): string {
  return format.slice(0, 50)
}
