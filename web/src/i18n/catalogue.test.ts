import { expect, test } from 'bun:test'
import { errors } from '../../../contract/errors.ts'
import { en } from './en/index.ts'
import { format, pieces, placeholders, type Message } from './message.ts'
import { zh } from './zh/index.ts'

const english: Record<string, Message> = en
const chinese: Record<string, Message> = zh
const textOf = (message: Message | undefined) => (message === undefined ? '' : typeof message === 'string' ? message : message.other)
const tags = (message: Message | undefined) =>
  pieces(textOf(message))
    .flatMap((piece) => piece.tag ?? [])
    .sort()

test('both languages have the same keys, placeholders and parts', () => {
  expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort())
  for (const [key, message] of Object.entries(english)) {
    expect([key, placeholders(chinese[key] ?? '')]).toEqual([key, placeholders(message)])
    expect([key, tags(chinese[key])]).toEqual([key, tags(message)])
  }
})

test('English shows no Chinese, and Chinese prose is Chinese', () => {
  const han = /\p{Script=Han}/u
  for (const [key, message] of Object.entries(english)) expect([key, han.test(textOf(message))]).toEqual([key, false])
  for (const [key, message] of Object.entries(chinese)) {
    // Names, units and samples are the same in both languages.
    const isProse = / [a-z]+ [a-z]+ [a-z]+ /i.test(textOf(english[key]))
    if (isProse) expect([key, han.test(textOf(message))]).toEqual([key, true])
  }
})

test('every code of the error table has words in both languages', () => {
  for (const code of Object.keys(errors)) {
    expect([code, `error.${code}` in english]).toEqual([code, true])
  }
})

test('plurals are chosen by the language and counts are grouped', () => {
  const message = { one: '{count} key', other: '{count} keys' }
  expect(format(message, { count: 1 }, 'en')).toBe('1 key')
  expect(format(message, { count: 1234 }, 'en')).toBe('1,234 keys')
  expect(format(message, { count: 1 }, 'zh-CN')).toBe('1 keys')
})

test('a text with parts is split in order', () => {
  expect(pieces('Read <link>this</link> first')).toEqual([
    { tag: undefined, text: 'Read ' },
    { tag: 'link', text: 'this' },
    { tag: undefined, text: ' first' },
  ])
})
