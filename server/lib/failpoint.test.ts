import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'

const FLAG = '--define=TOLLGATE_FAILPOINTS='

async function bundled(define: Record<string, string>): Promise<string> {
  const entrypoint = new URL('../relay/settlement.ts', import.meta.url).pathname
  const { outputs } = await Bun.build({ entrypoints: [entrypoint], target: 'bun', minify: { syntax: true, whitespace: true }, define })
  return (await outputs[0]?.text()) ?? ''
}

test('the bundle that users run has no place where a test could end it', async () => {
  const options = readFileSync(new URL('../../scripts/build.mjs', import.meta.url), 'utf8')
  expect(options).toContain(`'${FLAG}false'`)
  expect(await bundled({ TOLLGATE_FAILPOINTS: 'false' })).not.toContain('SIGKILL')
  // The check itself would see it.
  expect(await bundled({ TOLLGATE_FAILPOINTS: 'true' })).toContain('SIGKILL')
})
