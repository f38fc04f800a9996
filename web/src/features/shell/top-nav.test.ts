import { expect, test } from 'bun:test'
import { topNavItems } from './top-nav.ts'

test('each good line is a link, anything else is left out', () => {
  const text =
    'Docs|https://docs.example.test/a|b\n About | /about \nBad|javascript:alert(1)\nNo address\n|/x\nElsewhere|//evil.test\nSlash|/\\evil.test\nRoot|/'
  expect(topNavItems(text)).toEqual([
    { label: 'Docs', href: 'https://docs.example.test/a|b' },
    { label: 'About', href: '/about' },
    { label: 'Root', href: '/' },
  ])
  expect(topNavItems('')).toEqual([])
})
