import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestApp } from '../app.ts'
import { OWNER, siteOf } from '../site.ts'
import type { Script } from '../upstream/script.ts'
import { Upstream } from '../upstream/server.ts'

/** S6: every secret is a word that stands nowhere else; then the product is used, and the words are looked for everywhere. */
const secret = (name: string): string => `canary-${name}-${Buffer.from(name).toString('hex')}-8Jq2Lw9Zt4Kc7Rv1Nb`

const FROM_ENVIRONMENT = { JWT_SECRET: secret('jwt'), ENCRYPTION_KEY: secret('encryption'), OIDC_CLIENT_SECRET: secret('oidc-env') }
const SETTINGS = {
  smtp_password: secret('smtp'),
  oidc_client_secret: secret('oidc'),
  payment_yipay_key: secret('yipay'),
  payment_openpayment_key: secret('openpayment'),
  payment_stripe_secret_key: secret('stripe'),
  payment_stripe_webhook_secret: secret('stripe-hook'),
  hcaptcha_secret: secret('captcha'),
}
const UPSTREAM_KEY = secret('upstream')
const WRONG_PASSWORD = secret('password')
const WRONG_KEY = `sk-${secret('wrong-key')}`
const START_MS = 30_000

test('no secret stands in any log line, answer, header, page or byte of the database, plain or in base64', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-canaries-'))
  const upstream = await Upstream.start()
  const child = Bun.spawn([process.execPath, 'server/main.ts'], {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { PORT: '0', HOST: '127.0.0.1', DB_PATH: join(folder, 'tollgate.db'), LOG_LEVEL: 'debug', ...FROM_ENVIRONMENT },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let printed = ''
  const listening = (async () => {
    for await (const bytes of child.stderr) printed += new TextDecoder().decode(bytes)
  })()
  const speaking = (async () => {
    for await (const bytes of child.stdout) printed += new TextDecoder().decode(bytes)
  })()
  try {
    const until = performance.now() + START_MS
    while (!/running at http:\S+/.test(printed) && performance.now() < until) await Bun.sleep(20)
    const base = /running at (http:\S+)/.exec(printed)?.[1]
    if (base === undefined) throw new Error(`the server did not start: ${printed}`)
    let answered = ''
    /** Every answer but those that show a new secret to its owner once: the written list is the calls of `fetch` below. */
    const kept = (async (input: string | URL | Request, init?: RequestInit) => {
      const response = await fetch(input, { redirect: 'manual', ...init })
      const text = await response.text()
      answered += `${JSON.stringify([...response.headers])}\n${text}\n`
      return new Response(response.status === 204 || response.status === 304 ? null : text, {
        status: response.status,
        headers: response.headers,
      })
    }) as typeof fetch

    // Allowed: the first session is given to the owner, a key to its maker, the app's secret to its user, each once.
    const json = { 'content-type': 'application/json' }
    const setUp = await fetch(`${base}/api/setup`, { method: 'POST', headers: json, body: JSON.stringify(OWNER) })
    const { token } = (await setUp.json()) as { token: string }
    const owner = { ...json, authorization: `Bearer ${token}` }
    const site = siteOf(base, token, 1, kept)
    await site.api('PUT', '/api/settings', {
      ...SETTINGS,
      smtp_host: '127.0.0.1',
      smtp_port: '1',
      smtp_from: 'a@example.test',
      ssrf_allowed_hosts: '127.0.0.1',
      passkey_enabled: true,
    })
    for (const [type, name] of [
      ['openai', 'm'],
      ['anthropic', 'c'],
      ['gemini', 'g'],
    ] as const)
      await site.sell(
        await site.addChannel({ baseUrl: upstream.url + (type === 'openai' ? '/v1' : ''), type, key: UPSTREAM_KEY, name }),
        name,
      )
    await site.sell(
      await site.addChannel({ baseUrl: `http://${secret('nowhere').toLowerCase()}.invalid`, key: UPSTREAM_KEY, name: 'gone' }),
      'gone',
    )
    await site.setBalance('100')
    const made = await siteOf(base, token, 1, fetch).addKey()
    const app = await fetch(`${base}/api/user/second-factor/totp`, { method: 'POST', headers: owner })
    const totp = ((await app.json()) as { secret?: string }).secret ?? ''
    expect([made.secret.startsWith('sk-'), totp.length > 10]).toEqual([true, true])

    // The gateway: answers, and upstreams that quote our own key.
    const call = (path: string, body: object, key = made.secret): Promise<Response> =>
      kept(base + path, { method: 'POST', headers: { ...json, authorization: `Bearer ${key}` }, body: JSON.stringify(body) })
    const quoting = [400, 401, 403, 404, 429, 500].map((status) => ({
      error: { status, message: `Incorrect API key provided: ${UPSTREAM_KEY}. Bearer ${UPSTREAM_KEY}` },
    }))
    const inside: Script = { cut: { after: 2, how: 'error', message: `bad key ${UPSTREAM_KEY}` } }
    for (const model of ['m', 'c', 'g', 'gone'])
      for (const script of [{}, inside, ...quoting]) {
        upstream.always = script
        for (const stream of [false, true]) {
          await call('/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: 'Hi' }] })
          await call('/v1/messages', { model, stream, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })
        }
      }
    await call('/v1/chat/completions', { model: 'm', messages: [] }, WRONG_KEY)
    await kept(`${base}/v1beta/models?key=${WRONG_KEY}`)
    await kept(`${base}/v1beta/models?key=${made.secret}`)
    // Failures of what holds a secret.
    for (const name of ['email', 'oidc', 'payment', 'captcha'])
      await kept(`${base}/api/settings/test/${name}`, { method: 'POST', headers: owner, body: '{"to":"a@example.test"}' })
    await kept(`${base}/auth/password/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ identifier: OWNER.username, password: WRONG_PASSWORD }),
    })
    await kept(`${base}/auth/password/login`, { method: 'POST', headers: json, body: `{"identifier":"${WRONG_PASSWORD}","password":` })
    await kept(`${base}/api/users`, { headers: { authorization: `Bearer ${token}x` } })
    await kept(`${base}/api/channels/test`, { method: 'POST', headers: owner, body: '{"channel_id":1,"model":"m"}' })
    await kept(`${base}/api/channels/1`, {
      method: 'PUT',
      headers: owner,
      body: JSON.stringify({ api_key: UPSTREAM_KEY, base_url: 'no address' }),
    })

    // Everything that can be read, as the owner.
    const other = await createTestApp()
    const paths = other.app.endpoints.filter(({ method }) => method === 'GET').map(({ path }) => path)
    await other.close()
    for (const path of [...paths, '/', '/dashboard', '/metrics', '/v1/models'])
      for (const id of path.includes(':') ? ['1', '2'] : ['1'])
        await kept(base + path.replaceAll(/:\w+/g, id), { headers: { authorization: `Bearer ${token}` } })
    expect(paths.length).toBeGreaterThan(50)

    child.kill('SIGTERM')
    await child.exited
    await Promise.all([listening, speaking])
    const stored = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name)).toString('latin1'))
      .join('\n')
    const words: Record<string, string> = {
      ...FROM_ENVIRONMENT,
      ...SETTINGS,
      UPSTREAM_KEY,
      WRONG_PASSWORD,
      WRONG_KEY,
      token,
      key: made.secret,
      totp,
      password: OWNER.password,
    }
    const places = { printed, answered, stored }
    const found = Object.entries(words).flatMap(([name, word]) =>
      [word, Buffer.from(word).toString('base64').replace(/=+$/, ''), Buffer.from(word).toString('hex'), encodeURIComponent(word)].flatMap(
        (form) =>
          Object.entries(places).flatMap(([place, text]) =>
            text.includes(form)
              ? [`${name} in what was ${place}: ${text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 20)}`]
              : [],
          ),
      ),
    )
    expect(found).toEqual([])
    // What was looked through is what it should be: the channel's name, the log of the failed calls.
    expect([
      stored.includes('upstream_key') || stored.includes('api_key'),
      printed.includes('gateway call failed'),
      answered.includes('********'),
    ]).toEqual([true, true, true])
  } finally {
    child.kill('SIGKILL')
    await child.exited
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)
