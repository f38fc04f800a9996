import { expect, test } from 'bun:test'
import { protocolOfType } from '../../contract/channel-types.ts'
import { vendorOf, vendors } from '../../contract/vendors.ts'
import { besides, endpointOf, suitedBody, type Addressed } from './endpoint.ts'

const at = (type: string, baseUrl: string): Addressed => ({ protocol: protocolOfType(type), baseUrl, vendor: vendorOf(type, baseUrl) })
const url = (type: string, baseUrl: string): string => endpointOf(at(type, baseUrl), { model: 'my model', stream: false }).url

test("each vendor's documented address leads to its documented path", () => {
  const paths = Object.fromEntries(
    vendors.filter(({ baseUrl }) => baseUrl !== '').map(({ id, type, baseUrl }) => [id, url(type, baseUrl.replace(/\{[^}]+\}/, 'x'))]),
  )
  expect(paths).toMatchObject({
    openai: 'https://api.openai.com/v1/chat/completions',
    'openai-responses': 'https://api.openai.com/v1/responses',
    anthropic: 'https://api.anthropic.com/v1/messages',
    gemini: 'https://generativelanguage.googleapis.com/v1beta/models/my%20model:generateContent',
    azure: 'https://x.openai.azure.com/openai/deployments/my%20model/chat/completions?api-version=2024-10-21',
    bedrock: 'https://bedrock-runtime.x.amazonaws.com/openai/v1/chat/completions',
    zhipu: 'https://open.bigmodel.cn/api/paas/v4/chat/completions',
    qwen: 'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
    volcengine: 'https://ark.cn-beijing.volces.com/api/v3/chat/completions',
    baidu: 'https://qianfan.baidubce.com/v2/chat/completions',
    perplexity: 'https://api.perplexity.ai/chat/completions',
    cohere: 'https://api.cohere.ai/compatibility/v1/chat/completions',
    github: 'https://models.github.ai/inference/chat/completions',
    fireworks: 'https://api.fireworks.ai/inference/v1/chat/completions',
    deepinfra: 'https://api.deepinfra.com/v1/openai/chat/completions',
    openrouter: 'https://openrouter.ai/api/v1/chat/completions',
    groq: 'https://api.groq.com/openai/v1/chat/completions',
  })
})

test('Azure is reached at a resource, a deployments folder or its newer address, with its own key header', () => {
  const deployed = 'https://x.openai.azure.com/openai/deployments/my%20model'
  for (const base of [
    'https://x.openai.azure.com/',
    'https://x.openai.azure.com/openai',
    'https://x.openai.azure.com/openai/deployments',
    deployed,
  ]) {
    expect(url('azure', base)).toBe(`${deployed}/chat/completions?api-version=2024-10-21`)
  }
  expect(url('azure', 'https://x.openai.azure.com/openai/v1')).toBe('https://x.openai.azure.com/openai/v1/chat/completions')
  expect(url('responses', 'https://x.openai.azure.com/openai/v1')).toBe('https://x.openai.azure.com/openai/v1/responses')
  for (const type of ['azure', 'openai', 'responses']) {
    expect(endpointOf(at(type, 'https://x.openai.azure.com/openai/v1'), { model: 'm', stream: false }).headers('k')).toEqual({
      'api-key': 'k',
    })
  }
  expect(besides(at('azure', 'https://x.openai.azure.com'), 'my model', '/embeddings').url).toBe(
    `${deployed}/embeddings?api-version=2024-10-21`,
  )
})

test('other operations stand beside the generate path', () => {
  expect(besides(at('openai', 'https://api.openai.com'), 'm', '/audio/speech').url).toBe('https://api.openai.com/v1/audio/speech')
  expect(besides(at('responses', 'https://api.openai.com/v1'), 'm', '/embeddings').url).toBe('https://api.openai.com/v1/embeddings')
  expect(besides(at('openai', 'https://x.test/v1/chat/completions'), 'm', '/embeddings').url).toBe('https://x.test/v1/embeddings')
  expect(besides(at('zhipu', 'https://open.bigmodel.cn/api/paas/v4'), 'm', '/models').url).toBe(
    'https://open.bigmodel.cn/api/paas/v4/models',
  )
})

test('a vendor that takes text only gets lists of text as text, pictures stay; one without stream_options gets none; others get the very same body', () => {
  const picture = [
    { type: 'text', text: 'see' },
    { type: 'image_url', image_url: { url: 'x' } },
  ]
  const body = {
    stream_options: { include_usage: true },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
      { role: 'user', content: picture },
      { role: 'user', content: 'plain' },
    ],
  }
  expect(suitedBody(body, at('deepseek', 'https://api.deepseek.com')).messages).toEqual([
    { role: 'user', content: 'one\ntwo' },
    { role: 'user', content: picture },
    { role: 'user', content: 'plain' },
  ])
  expect(suitedBody(body, at('mistral', 'https://api.mistral.ai/v1'))).toEqual({ messages: body.messages })
  for (const type of ['openai', 'xai', 'newapi']) expect(suitedBody(body, at(type, 'https://x.test'))).toBe(body)
})
