import type { CodeTab } from './ui/code.tsx'

/** A key that is plainly none. */
export const SAMPLE_KEY = 'sk-...'

/** Where a program's SDK has to point, one tab a protocol; only the address and the key change. */
export function protocolSnippets(baseUrl: string, model: string): CodeTab[] {
  return [
    {
      id: 'chat',
      name: 'OpenAI Chat',
      code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}/v1", api_key="${SAMPLE_KEY}")
client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello"}],
)`,
    },
    {
      id: 'responses',
      name: 'OpenAI Responses',
      code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}/v1", api_key="${SAMPLE_KEY}")
client.responses.create(
    model="${model}",
    input="Hello",
)`,
    },
    {
      id: 'claude',
      name: 'Claude',
      code: `from anthropic import Anthropic

client = Anthropic(base_url="${baseUrl}", api_key="${SAMPLE_KEY}")
client.messages.create(
    model="${model}", max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)`,
    },
    {
      id: 'gemini',
      name: 'Gemini',
      code: `from google import genai

client = genai.Client(api_key="${SAMPLE_KEY}", http_options={"base_url": "${baseUrl}"})
client.models.generate_content(
    model="${model}",
    contents="Hello",
)`,
    },
  ]
}

/** A first call from a terminal, from Python and from JavaScript, with the reader's own key and model. */
export function chatSnippets(baseUrl: string, model: string, key: string): CodeTab[] {
  return [
    {
      id: 'curl',
      name: 'curl',
      code: `curl ${baseUrl}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}'`,
    },
    {
      id: 'python',
      name: 'Python',
      code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}/v1", api_key="${key}")
stream = client.chat.completions.create(
    model="${model}", stream=True,
    messages=[{"role": "user", "content": "Hello"}],
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="")`,
    },
    {
      id: 'javascript',
      name: 'JavaScript',
      code: `import OpenAI from "openai"

const client = new OpenAI({ baseURL: "${baseUrl}/v1", apiKey: "${key}" })
const stream = await client.chat.completions.create({
  model: "${model}", stream: true,
  messages: [{ role: "user", content: "Hello" }],
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "")`,
    },
  ]
}
