import { expect, test } from 'bun:test'
import { inferProvider, providerOf } from './providers.ts'

test('the maker is told by the model name', () => {
  const names = {
    'deepseek-chat': 'deepseek',
    'claude-sonnet-4-5': 'anthropic',
    'gemini-2.5-pro': 'google',
    'llama-3.3-70b': 'meta',
    'codestral-latest': 'mistral',
    'QwQ-32B': 'qwen',
    'kimi-k2': 'moonshot',
    'glm-4.6': 'zhipu',
    'gpt-5': 'openai',
    'dall-e-3': 'openai',
    'openai/o3': 'openai',
    'o4-mini': 'openai',
    'grok-4': 'xai',
  }
  for (const [name, provider] of Object.entries(names)) expect([name, inferProvider(name).id]).toEqual([name, provider])
})

test('o1, o3 and o4 count as whole words only', () => {
  for (const name of ['solo1-base', 'foo3', 'neo4j-embed', 'o10', 'turbo3d'])
    expect([name, inferProvider(name).id]).toEqual([name, 'custom'])
})

test('a given maker is found whatever its case, blanks, hyphens and underscores; another stands for itself', () => {
  expect(providerOf('Mistral_AI', 'x')).toEqual({ id: 'mistral', name: 'Mistral AI' })
  expect(providerOf(' moonshot ai ', 'gpt-5').id).toBe('moonshot')
  expect(providerOf('Our Own', 'gpt-5')).toEqual({ id: 'Our Own', name: 'Our Own' })
  expect(providerOf('', 'gpt-5').id).toBe('openai')
})
