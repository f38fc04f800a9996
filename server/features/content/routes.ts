import { getContent } from '../../../contract/api/content.ts'
import { contentSettings, isContentPage } from '../../../contract/content.ts'
import { AppError } from '../../../contract/errors.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'

/**
 * The owner's HTML has an origin of its own and no rights: no script, no form, nothing from elsewhere, shown by this site
 * only (W01). Links open in a new tab.
 */
const POLICY = [
  "default-src 'none'",
  "img-src 'self' data:",
  "style-src 'unsafe-inline'",
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ')

/** Pages that the owner wrote; one that is empty is none. */
export function contentRoutes(deps: Deps): Route[] {
  return [
    bind(getContent, ({ params, query }) => {
      const text = isContentPage(params.page) ? deps.settings.text(contentSettings[params.page]) : ''
      if (text === '') throw new AppError('not_found')
      return new Response(documentOf(text, query.theme), {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-store',
          'content-security-policy': POLICY,
          'x-frame-options': 'SAMEORIGIN',
        },
      })
    }),
  ]
}

function documentOf(text: string, theme: 'light' | 'dark'): string {
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><base target="_blank"><style>
:root { color-scheme: ${theme} }
body { margin: 0; font: 15px/1.65 system-ui, sans-serif; overflow-wrap: anywhere }
img, table { max-width: 100% }
.plain { white-space: pre-wrap }
</style>${isHtml(text) ? text : `<div class="plain">${escaped(text)}</div>`}`
}

/** Many owners paste a plain text; its line breaks are to stay. */
function isHtml(text: string): boolean {
  return /<[a-z!/]/i.test(text)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
