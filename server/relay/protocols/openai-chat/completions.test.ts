import { describe, expect, test } from 'bun:test'
import { WireError } from '../protocol.ts'
import { chatStreamToText, chatToText, textToChat } from './completions.ts'
import { jsonOf, ours, oursFrames, run } from './test-kit.ts'

describe('/v1/completions', () => {
  test('a prompt becomes one user message, other parameters stay', () => {
    expect(
      textToChat({
        model: 'm',
        prompt: 'Say hi',
        max_tokens: 5,
        stream: true,
        stream_options: { include_usage: true },
        n: 2,
        logprobs: 3,
        echo: true,
        best_of: 1,
        suffix: null,
      }),
    ).toEqual({
      body: {
        model: 'm',
        messages: [{ role: 'user', content: 'Say hi' }],
        max_tokens: 5,
        stream: true,
        stream_options: { include_usage: true },
        n: 2,
        logprobs: true,
        top_logprobs: 3,
      },
      losses: [],
      echo: 'Say hi',
    })
    expect(textToChat({ model: 'm', prompt: ['a', 'b'], suffix: 's', best_of: 4 })).toEqual({
      body: { model: 'm', messages: [{ role: 'user', content: 'a\nb' }] },
      losses: [
        { path: 'suffix', reason: 'A chat has no such parameter' },
        { path: 'best_of', reason: 'A chat has no such parameter' },
      ],
      echo: '',
    })
  })

  test('a prompt of token ids, or none, is refused', () => {
    for (const prompt of [undefined, null, '', [], [1, 2], [[1], [2]], 5])
      expect(() => textToChat({ model: 'm', prompt })).toThrow(WireError)
  })

  test('an answer becomes a text completion with its usage', () => {
    const { choices, object, usage } = chatToText(ours('answer.json'), 'Q: ')
    expect(object).toBe('text_completion')
    expect(usage).toEqual(ours('answer.json').usage)
    expect(choices).toEqual([
      {
        text: 'Q: The weather: \u4f60\u597d \u{1f600}',
        index: 0,
        finish_reason: 'stop',
        logprobs: { tokens: ['The', ' weather'], token_logprobs: [-0.1, -0.2], top_logprobs: [{}, {}], text_offset: [3, 6] },
      },
      { text: 'Q: I cannot.', index: 1, finish_reason: 'stop', logprobs: null },
    ])
    expect(chatToText({ error: { message: 'x' } })).toEqual({ error: { message: 'x' } })
  })

  test('a stream becomes one of text completions: text, the end, usage, the marker', () => {
    const frames = run(chatStreamToText(), oursFrames('answer.chunks.txt'))
    expect(frames.at(-1)).toEqual({ data: '[DONE]' })
    const chunks = jsonOf(frames)
    expect(new Set(chunks.map((chunk) => chunk.object))).toEqual(new Set(['text_completion']))
    const text = ['', '']
    const ends: unknown[] = []
    for (const chunk of chunks) {
      for (const choice of chunk.choices as { index: number; text: string; finish_reason: string | null }[]) {
        text[choice.index] += choice.text
        if (choice.finish_reason) ends.push(choice.finish_reason)
      }
    }
    expect(text).toEqual(['The weather: \u4f60\u597d \u{1f600}', 'I cannot.'])
    expect(ends).toEqual(['stop', 'stop'])
    // Three pieces of text, two of a refusal, two ends, and the usage: no chunk for a role, thoughts or calls.
    expect(chunks).toHaveLength(8)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 150 } })
    expect(run(chatStreamToText('Q: '), oursFrames('answer.chunks.txt')).filter((frame) => frame.data.includes('Q: '))).toHaveLength(2)
  })

  test('errors inside the stream pass', () => {
    const frame = { data: '{"error":{"message":"x"}}' }
    expect(chatStreamToText().push(frame)).toEqual([frame])
  })
})
