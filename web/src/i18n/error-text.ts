import { ApiError } from '../api/http.ts'
import type { Key } from './en/index.ts'
import { useLanguage } from './i18n.tsx'
import { format } from './message.ts'

/**
 * An error in the reader's language: by its code; where the server says something more exact than its code, or has no
 * code, its own text in quotes follows.
 */
export function useErrorText(): (error: unknown) => string {
  const { catalogue, language } = useLanguage()
  return (error) => {
    if (!(error instanceof ApiError)) return format(catalogue['error.internal'], {}, language)
    const key = `error.${error.code ?? ''}`
    const known = Object.hasOwn(catalogue, key) ? format(catalogue[key as Key], {}, language) : undefined
    // These two say only "something in it is not right"; which part stands in the server's text.
    const vague = error.code === 'bad_request' || error.code === 'conflict' || error.code === 'upstream_refused'
    if (known !== undefined && !vague) return known
    return format(
      catalogue['error.quoted'],
      { reason: known ?? format(catalogue['error.unknown'], {}, language), text: error.message },
      language,
    )
  }
}
