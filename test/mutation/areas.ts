/** What S18 measures (docs/promises.md): where a fault costs money or opens a door. */
export interface Area {
  name: string
  /** Globs of the sources, from the root; test files never count. */
  sources: readonly string[]
  /** Globs of the tests that may prove them. What takes minutes or starts other processes is left out: it has its own rows. */
  tests: readonly string[]
}

export const AREAS: readonly Area[] = [
  {
    name: 'ledger',
    sources: ['server/features/billing/**/*.ts'],
    tests: [
      'server/features/billing/*.test.ts',
      'server/features/users/admin-edits.test.ts',
      'server/features/redeem-codes/*.test.ts',
      'test/gateway/{aborts,budgets,calls,leaving,metering,services}.test.ts',
      'test/books/*.test.ts',
    ],
  },
  {
    name: 'pricing',
    sources: ['contract/{quote,money,decimal,prices,tiers,meters}.ts', 'server/features/catalog/{pricing,effective}.ts'],
    tests: [
      'contract/*.test.ts',
      'server/features/catalog/*.test.ts',
      'server/features/models/*.test.ts',
      'server/features/sync/*.test.ts',
      'test/books/quote.test.ts',
      'test/gateway/{calls,metering,services,price-flips}.test.ts',
    ],
  },
  {
    name: 'payment',
    sources: ['server/features/payments/*.ts'],
    tests: ['server/features/payments/*.test.ts', 'test/payments/*.test.ts'],
  },
  {
    name: 'auth',
    sources: [
      'server/features/{auth,sessions,challenges,mail-codes,passkeys,second-factor,oidc}/*.ts',
      'server/features/api-keys/{cache,service}.ts',
      'server/http/{bind,caller,credential}.ts',
      'server/lib/passwords.ts',
    ],
    tests: [
      'server/features/{api-keys,auth,passkeys,second-factor,sessions,oidc}/*.test.ts',
      'server/http/*.test.ts',
      'server/features/users/users.test.ts',
      'server/features/settings-test/others.test.ts',
      'test/contract/sign-in.test.ts',
      'test/gateway/{allowed-groups,limits}.test.ts',
      'test/security/{access,foreign-ids}.test.ts',
      'test/time/instants.test.ts',
    ],
  },
  {
    name: 'guard',
    sources: ['server/lib/{outbound,allow-list,client-ip,tcp,read-capped}.ts'],
    tests: [
      'server/lib/{outbound,outbound-rules,client-ip,tcp,read-capped}.test.ts',
      'server/features/status/*.test.ts',
      'server/features/sync/sync.test.ts',
      'server/features/settings-test/*.test.ts',
      'server/features/user-channels/*.test.ts',
      'test/security/outbound.test.ts',
    ],
  },
]
