// Loaded before a test file of an instrumented tree: writes what the counters saw. (A test run of Bun ends without `exit` events.)
import { afterAll } from 'bun:test'
import { writeFileSync } from 'node:fs'

afterAll(() => {
  const path = process.env['S18_COUNTERS']
  const seen = globalThis as { __coverage__?: unknown; __stryker__?: { mutantCoverage?: unknown } }
  if (path !== undefined) writeFileSync(path, JSON.stringify({ branches: seen.__coverage__, mutants: seen.__stryker__?.mutantCoverage }))
})
