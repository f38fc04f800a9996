import { expect, test } from 'bun:test'
import { LOSSES_FILE, lossesDocument } from './losses.ts'

test('docs/losses.md says what the codecs say (`npm run conformance` writes it)', async () => {
  expect(await Bun.file(LOSSES_FILE).text()).toBe(lossesDocument())
})
