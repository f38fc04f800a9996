import type { TestApp } from './app.ts'

/** Forged addresses a guesser comes from; a trusted proxy must stand in front for the application to believe them. */
export const forgedIp = (n: number): string => `198.18.${(n >> 8) & 255}.${n & 255}`

/** Guesses, spread evenly over a time; answers how many were looked at rather than turned away. */
export async function guess(
  app: TestApp,
  { times, overMs, path, body }: { times: number; overMs: number; path: string; body: (n: number) => object },
): Promise<{ looked: number; statuses: Record<number, number> }> {
  const statuses: Record<number, number> = {}
  for (let n = 0; n < times; n += 1) {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': forgedIp(n % 1_000) }
    const { status } = await app.fetch(path, { method: 'POST', headers, body: JSON.stringify(body(n)) })
    statuses[status] = (statuses[status] ?? 0) + 1
    app.clock.advance(Math.floor(overMs / times))
  }
  return { looked: times - (statuses[429] ?? 0), statuses }
}
