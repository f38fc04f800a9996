import { expect, test } from 'bun:test'
import { targetOf } from './target.ts'

test('a target is read as its kind has it, and nothing else', () => {
  expect(targetOf('http', 'https://up.example/health?x=1')).toEqual({ type: 'http', url: 'https://up.example/health?x=1' })
  for (const text of ['up.example', 'ftp://up.example', 'https://user:secret@up.example', 'javascript:alert(1)', 'http://', '//up.example'])
    expect(targetOf('http', text)).toBeUndefined()
  expect(targetOf('tcp', 'db.example:5432')).toEqual({ type: 'tcp', host: 'db.example', port: 5432 })
  expect(targetOf('tcp', 'db.example:80')).toEqual({ type: 'tcp', host: 'db.example', port: 80 })
  expect(targetOf('tcp', '[2001:db8::1]:443')).toEqual({ type: 'tcp', host: '2001:db8::1', port: 443 })
  expect(targetOf('tcp', 'https://up.example/path')).toEqual({ type: 'tcp', host: 'up.example', port: 443 })
  expect(targetOf('tcp', 'http://up.example:8080')).toEqual({ type: 'tcp', host: 'up.example', port: 8080 })
  for (const text of ['db.example', 'db.example:0', 'db.example:99999', 'user@db.example:1', 'db.example:1/path', ':22', 'a b:22'])
    expect(targetOf('tcp', text)).toBeUndefined()
  expect(targetOf('model', 'channel://3/meta/llama-3')).toEqual({ type: 'model', channelId: 3, model: 'meta/llama-3' })
  for (const text of ['channel://0/m', 'channel://3/', 'channel://x/m', 'https://up.example'])
    expect(targetOf('canary', text)).toBeUndefined()
})
