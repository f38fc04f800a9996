import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { endReasons, ruleOf, usageSources, type EndReason } from './rules.ts'

/** The rows of the customers' table in docs/billing.md; two reasons share one, a word for each behind the other. */
const rows: Record<string, EndReason[]> = {
  complete: ['complete'],
  'the client left': ['client_gone'],
  'the upstream failed before its answer': ['upstream_error_before_content'],
  'the upstream failed in its answer': ['upstream_error_after_content'],
  'timed out before / in the answer': ['timeout_before_content', 'timeout_after_content'],
  'answer held back by the content policy': ['content_blocked'],
  'the balance was used up in the answer': ['refused_balance'],
  'the server was stopped': ['shutdown'],
  'the server crashed': ['crashed'],
}

test('the settlement rule is what docs/billing.md tells customers, cell by cell', () => {
  const lines = readFileSync(new URL('../../../docs/billing.md', import.meta.url), 'utf8').split('\n')
  const head = lines.findIndex((line) => line.startsWith('| how it ended |'))
  const told = new Map(
    lines
      .slice(head + 2, head + 2 + Object.keys(rows).length)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
      .map(([name = '', ...cells]) => [name, cells]),
  )
  expect([...told.keys()]).toEqual(Object.keys(rows))
  expect(Object.values(rows).flat().toSorted()).toEqual([...endReasons].toSorted())
  for (const [name, reasons] of Object.entries(rows))
    for (const [at, source] of usageSources.entries()) {
      const words = told.get(name)?.[at]?.split(' / ') ?? []
      for (const [index, reason] of reasons.entries()) {
        const word = words[index] ?? words[0] ?? ''
        if (word !== '-') expect([reason, source, ruleOf(reason, source).charge]).toEqual([reason, source, word.startsWith('charged')])
      }
    }
})

test('every ending but a whole answer says in the row why it is charged or not', () => {
  for (const reason of endReasons)
    for (const source of usageSources) {
      const { charge, note } = ruleOf(reason, source)
      if (reason === 'complete' && source !== 'none') expect(note).toBe('')
      else expect([reason, source, note.startsWith(charge ? 'charged' : 'not charged')]).toEqual([reason, source, true])
    }
})
