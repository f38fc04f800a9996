import type { CallFacts } from '../server/features/billing/draft.ts'

type Own = 'requestId' | 'userId' | 'accountId' | 'createdAt'

/** What is known of a call before it is made: a plain one of a session, but for what is given. */
export function callFacts(given: Pick<CallFacts, Own> & Partial<CallFacts>): CallFacts {
  return {
    apiKeyId: null,
    modelName: 'm',
    protocol: 'openai-chat',
    endpoint: 'chat.completions',
    stream: false,
    ip: '127.0.0.1',
    userAgent: '',
    source: 'api',
    priceSnapshot: '{"prices":{"input":"1"},"tiers":{},"quota_type":0}',
    ...given,
  }
}
