import type { TestApp } from '../app.ts'

/** One browser: its cookies, by path, go to the application with each request. */
export class Browser {
  readonly #app: TestApp
  readonly #cookies = new Map<string, { value: string; path: string }>()
  readonly #base: string

  constructor(app: TestApp, base: string) {
    this.#app = app
    this.#base = base
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name)?.value
  }

  setCookie(name: string, value: string, path = '/auth'): void {
    this.#cookies.set(name, { value, path })
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send(path, { headers })
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.#base)
    const headers = new Headers(init.headers)
    const sent = [...this.#cookies].filter(([, { path: of }]) => url.pathname.startsWith(of))
    if (sent.length > 0) headers.set('cookie', sent.map(([name, { value }]) => `${name}=${value}`).join('; '))
    const response = await this.#app.fetch(url.href, { ...init, headers })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  /** Begins a sign-in; the address at the provider it is sent to. */
  async begin(query = ''): Promise<URL> {
    const response = await this.get(`/auth/login${query}`)
    if (response.status !== 302) throw new Error(`/auth/login: ${response.status} ${await response.text()}`)
    return new URL(response.headers.get('location') ?? '')
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const name = pair.slice(0, pair.indexOf('='))
    if (attributes.includes('Max-Age=0')) this.#cookies.delete(name)
    else
      this.#cookies.set(name, {
        value: pair.slice(pair.indexOf('=') + 1),
        path: attributes.find((part) => part.startsWith('Path='))?.slice(5) ?? '/',
      })
  }
}

/** The session of a finished sign-in, from the fragment and from nowhere else. */
export function tokenOf(response: Response): string | undefined {
  const location = response.headers.get('location') ?? ''
  return /^\/dashboard#token=([\w.-]+)$/.exec(location)?.[1]
}
