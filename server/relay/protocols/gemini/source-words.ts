import type { ClientWords } from '../places.ts'

const CONFIG = 'generationConfig'

/** What a Gemini client calls what was lost of its request. */
export const words: ClientWords = {
  parameters: {
    system: 'systemInstruction.parts',
    reasoning: `${CONFIG}.thinkingConfig`,
    'reasoning.effort': `${CONFIG}.thinkingConfig.thinkingLevel`,
    response_format: `${CONFIG}.responseSchema`,
    'response_format.schema': `${CONFIG}.responseSchema`,
    max_tokens: `${CONFIG}.maxOutputTokens`,
    temperature: `${CONFIG}.temperature`,
    top_p: `${CONFIG}.topP`,
    top_k: `${CONFIG}.topK`,
    stop: `${CONFIG}.stopSequences`,
    seed: `${CONFIG}.seed`,
    n: `${CONFIG}.candidateCount`,
    presence_penalty: `${CONFIG}.presencePenalty`,
    frequency_penalty: `${CONFIG}.frequencyPenalty`,
    logprobs: `${CONFIG}.responseLogprobs`,
    top_logprobs: `${CONFIG}.logprobs`,
    modalities: `${CONFIG}.responseModalities`,
    service_tier: 'serviceTier',
    tool_choice: 'toolConfig.functionCallingConfig',
  },
  messages: 'contents',
  content: 'parts',
  result: 'functionResponse.parts',
  members: {
    'media.name': 'inlineData.displayName',
    'call.input': 'functionCall.args',
    'call.signature': 'thoughtSignature',
    'result.is_error': 'functionResponse.response.error',
  },
}
