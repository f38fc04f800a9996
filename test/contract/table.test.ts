import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { CONTRACT } from './routes.ts'
import { catalog } from './rows/catalog.ts'
import { gatewayRows } from './rows/gateway.ts'
import { metaModels } from './rows/meta.ts'
import { people } from './rows/people.ts'
import { firstSetup, publicSite } from './rows/site.ts'
import { status } from './rows/status.ts'
import { sync } from './rows/sync.ts'
import { contractTable } from './table.ts'

/** contract.md section 3: one row a route. */
const tables = [firstSetup, publicSite, catalog, sync, metaModels, people, status]
for (const table of tables) contractTable(table)

/** Tables that stand beside what they are about; each runs every row it names. */
const ELSEWHERE = ['../payments/contract.test.ts', '../../server/features/auth/table.test.ts', 'settings.test.ts']

test('no route of the contract is without its row', () => {
  const named = [...tables.flatMap(({ rows }) => rows.map(({ at }) => at)), ...gatewayRows.map(({ at }) => at)]
  for (const file of ELSEWHERE) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    named.push(...[...text.matchAll(/'((?:GET|POST|PUT|DELETE) \/[^']+)'/g)].flatMap(([, name]) => name ?? []))
  }
  const routes = new Set(named.map((name) => name.replaceAll(/:(key|paid)\b/g, ':id').replaceAll(/\/:(\w+)/g, '/{$1}')))
  expect(CONTRACT.filter((name) => !routes.has(name))).toEqual([])
})
