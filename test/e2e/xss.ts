import type { Browser } from 'playwright-core'
import { OWNER, siteOf, type Site } from '../site.ts'
import { Upstream } from '../upstream/server.ts'
import type { RunningServer } from './console.ts'

/** Ways to make a script of a text; RUN is what would run, CANARY where it would ask. */
const VECTORS = [
  '<script>RUN</script>',
  '<script src=CANARY></script>',
  '<img src=x onerror=RUN>',
  '<svg onload=RUN>',
  '<svg><script>RUN</script></svg>',
  '<body onload=RUN>',
  '<iframe src="javascript:RUN"></iframe>',
  '<iframe srcdoc="<script>RUN</script>"></iframe>',
  '<iframe src=CANARY></iframe>',
  '<a href="javascript:RUN" autofocus onfocus=RUN>x</a>',
  '<input autofocus onfocus=RUN>',
  '<details open ontoggle=RUN>',
  '<video><source onerror=RUN></video>',
  '<audio src=x onerror=RUN>',
  '<object data="javascript:RUN"></object>',
  '<embed src="javascript:RUN">',
  '<math><mi//xlink:href="data:x,<script>RUN</script>">',
  '<link rel=stylesheet href=CANARY>',
  '<style>@import "CANARY";</style>',
  '<div style="background:url(CANARY)">',
  '<base href="CANARY">',
  '<meta http-equiv=refresh content="0;url=CANARY">',
  '<form action=CANARY><button autofocus>x</button></form>',
  '<img src=CANARY>',
  '<marquee onstart=RUN>',
  '<select autofocus onfocus=RUN>',
  '<textarea autofocus onfocus=RUN>',
  '<template><script>RUN</script></template>',
  '<noscript><p title="</noscript><img src=x onerror=RUN>">',
  '<xss style="animation-name:x" onanimationstart=RUN>',
  '${RUN}',
  '{{constructor.constructor("RUN")()}}',
  'javascript:RUN',
  'data:text/html,<script>RUN</script>',
  '--><script>RUN</script>',
  '<!--<img src="--><img src=x onerror=RUN>',
  '</title><script>RUN</script>',
  '</script><script>RUN</script>',
  ']]><script>RUN</script>',
  '\u2028RUN\u2029',
] as const

/** The ways out of where a text stands: none, an attribute, a script's text, another letter case and bytes that are dropped. */
const SURROUNDINGS: readonly ((vector: string) => string)[] = [
  (vector) => vector,
  (vector) => `"'>${vector}`,
  (vector) => `';RUN;//${vector}`,
  (vector) => vector.replaceAll(/<(\w+)/g, (_, tag: string) => `<${tag[0]?.toUpperCase()}${tag.slice(1)}\t`),
]

/** The first so many texts; `canary` is an address that must not be asked. */
export function payloads(count: number, canary: string): string[] {
  return SURROUNDINGS.flatMap((around) => VECTORS.map(around))
    .slice(0, count)
    .map((text, index) => text.replaceAll('RUN', `__ran(${index})`).replaceAll('CANARY', `${canary}/${index}`))
}

/** What holds one text, and may hold many at once. */
const LONG = ['about_html', 'privacy_policy', 'terms', 'announcement', 'footer_text'] as const
const VISITOR_PAGES = ['/', '/login', '/register', '/reset', '/about', '/privacy', '/terms', '/docs/api'] as const
const PAGES = [
  '/dashboard',
  '/dashboard/api-keys',
  '/dashboard/logs',
  '/dashboard/start',
  '/dashboard/settings/security',
  '/about',
  '/',
] as const
/** After a page has its heading: for what it loads then. */
const SETTLED_MS = 1_000

/** Stores each text in every field that pages show, opens every page, and tells what ran. */
export async function walk(
  server: RunningServer,
  browser: Browser,
  count: number,
): Promise<{ ran: string[]; asked: string[]; pages: number }> {
  const asked: string[] = []
  const canary = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      asked.push(request.url)
      return new Response('__ran("fetched")', { headers: { 'content-type': 'text/javascript' } })
    },
  })
  const texts = payloads(count, `http://127.0.0.1:${canary.port}`)
  const upstream = await Upstream.start()
  try {
    const site = await storeEverywhere(server, texts, upstream)
    const ran: string[] = []
    let pages = 0
    for (const [paths, signedIn] of [
      [VISITOR_PAGES, false],
      [[...PAGES, `/dashboard/logs/${await lastCall(site)}`], true],
    ] as const) {
      const context = await browser.newContext({ locale: 'en-US' })
      await context.exposeFunction('__ran', (which: unknown) => ran.push(String(which)))
      if (signedIn) await context.addInitScript((token) => localStorage.setItem('token', token), site.token)
      await Promise.all(
        paths.map(async (path) => {
          const page = await context.newPage()
          page.on('dialog', (dialog) => {
            ran.push(`dialog ${dialog.message()}`)
            void dialog.dismiss()
          })
          await page.goto(server.url + path)
          await page.getByRole('heading').first().waitFor()
          // Nothing is to happen: there is no sign of it to wait for.
          await page.waitForTimeout(SETTLED_MS)
          pages += 1
        }),
      )
      await context.close()
    }
    return { ran, asked, pages }
  } finally {
    await canary.stop(true)
    await upstream.stop()
  }
}

async function storeEverywhere(server: RunningServer, texts: readonly string[], upstream: Upstream): Promise<Site> {
  const headers = { 'content-type': 'application/json' }
  const setUp = await fetch(`${server.url}/api/setup`, { method: 'POST', headers, body: JSON.stringify(OWNER) })
  const { token, user } = (await setUp.json()) as { token: string; user: { id: number } }
  const site = siteOf(server.url, token, user.id, fetch)
  const all = texts.join('\n')
  await site.api('PUT', '/api/settings', {
    ssrf_allowed_hosts: '127.0.0.1',
    password_registration_enabled: true,
    site_name: texts[0],
    payment_currency_display_name: texts[2]?.slice(0, 30),
    ...Object.fromEntries(LONG.map((name) => [name, all])),
  })
  const channel = await site.addChannel({ baseUrl: `${upstream.url}/v1`, name: texts[1] ?? '' })
  const userChannels = await site.api<{ id: number }[]>('GET', '/api/user-channels')
  await site.sell(channel, 'm')
  await site.setBalance('10')
  const { secret } = await site.addKey()
  for (const [index, text] of texts.entries()) {
    await site.api('POST', '/api/user/api-keys', {
      name: text.slice(0, 100),
      allowed_user_channels: userChannels.slice(0, 1).map(({ id }) => id),
      allowed_models: [text.slice(0, 100)],
    })
    await site.api('POST', '/api/announcements', { title: text.slice(0, 100), content: text, enabled: true })
    await site.api('POST', '/api/models', {
      model_name: `${index} ${text}`.slice(0, 100),
      provider: text.slice(0, 40),
      input_price: '1',
      output_price: '1',
    })
    await site.api('POST', '/api/user-channels', { name: `${index} ${text}`.slice(0, 90), description: text })
    // What an upstream says, and who a client says it is, stands in the log and its receipts.
    upstream.next({ error: { status: 400, message: text } })
    const call = {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${secret}`, 'user-agent': asHeader(text) },
      body: JSON.stringify({ model: 'm', messages: [] }),
    }
    await (await fetch(`${server.url}/v1/chat/completions`, call)).text()
  }
  // Each sign-in shows its browser in the list of sessions; more of them meet the limit of tries.
  for (const text of texts.slice(0, 3))
    await (
      await fetch(`${server.url}/auth/password/login`, {
        method: 'POST',
        headers: { ...headers, 'user-agent': asHeader(text) },
        body: JSON.stringify({ identifier: OWNER.username, password: OWNER.password }),
      })
    ).text()
  return site
}

/** A header has no line ends. */
function asHeader(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, ' ')
}

async function lastCall(site: Site): Promise<string> {
  const { items } = await site.api<{ items: { request_id: string }[] }>('GET', '/api/user/logs?page=1&page_size=1')
  return items[0]?.request_id ?? ''
}
