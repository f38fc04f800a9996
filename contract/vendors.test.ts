import { expect, test } from 'bun:test'
import { channelTypeOf, protocolOfType } from './channel-types.ts'
import { vendorOf, vendors } from './vendors.ts'

test('there are at least thirty vendors, each with a known type, an address that can be filled in, and documentation', () => {
  expect(vendors.length).toBeGreaterThanOrEqual(30)
  expect(new Set(vendors.map(({ id }) => id)).size).toBe(vendors.length)
  for (const { id, type, baseUrl, docs, auth } of vendors) {
    expect([id, channelTypeOf(type)]).toEqual([id, type])
    if (baseUrl !== '') expect([id, URL.canParse(baseUrl.replaceAll(/\{[^}]+\}/g, 'x')), baseUrl.endsWith('/')]).toEqual([id, true, false])
    if (docs !== '') expect([id, docs.startsWith('https://')]).toEqual([id, true])
    const usual = { 'openai-chat': 'bearer', 'openai-responses': 'bearer', claude: 'x-api-key', gemini: 'x-goog-api-key' }[
      protocolOfType(type)
    ]
    if (id !== 'azure' && auth !== 'aws' && auth !== 'google') expect([id, auth as string]).toEqual([id, usual])
  }
})

test("a channel's vendor is known by its host, whatever its type says, else by a type that only one has", () => {
  expect(vendorOf('openai', 'https://api.deepseek.com')?.id).toBe('deepseek')
  expect(vendorOf('openai', 'https://my-firm.openai.azure.com/openai/v1')?.id).toBe('azure')
  expect(vendorOf('openai', 'https://evil.test/my-firm.openai.azure.com')).toBeUndefined()
  expect(vendorOf('openai', 'https://a.b.openai.azure.com')).toBeUndefined()
  expect(vendorOf('bedrock_claude', 'https://bedrock-runtime.us-east-1.amazonaws.com')?.id).toBe('bedrock-claude')
  expect(vendorOf('vertex', 'https://aiplatform.googleapis.com/v1/projects/p/locations/global')?.id).toBe('vertex')
  expect(vendorOf('vertex_claude', 'https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1')?.id).toBe(
    'vertex-claude',
  )
  expect(vendorOf('responses', 'https://api.openai.com/v1')?.id).toBe('openai-responses')
  expect(vendorOf('perplexity', 'http://127.0.0.1:9')?.id).toBe('perplexity')
  expect(vendorOf('openai', 'http://127.0.0.1:11434/v1')).toBeUndefined()
  expect(vendorOf('openai', 'not a URL')).toBeUndefined()
})
