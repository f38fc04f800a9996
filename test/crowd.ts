import type { TestApp } from './app.ts'
import { createUser } from '../server/features/users/service.ts'

/** Makes many people at once, without a password: nobody signs in as them. */
export function crowd(
  app: Pick<TestApp, 'deps' | 'clock'>,
  emails: readonly string[],
  referrerId: number | null = null,
): Promise<number[]> {
  return app.deps.db.query.transaction().execute(async (tx) => {
    const ids: number[] = []
    for (const email of emails) {
      const username = `crowd-${email.replace('@', '-')}`
      const input = { username, email, emailVerified: true, passwordHash: null, role: 'user' as const, referrerId }
      ids.push((await createUser(tx, input, app.clock.now())).id)
    }
    return ids
  })
}

/** `count` addresses. */
export function addresses(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}@example.test`)
}
