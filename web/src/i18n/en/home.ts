import type { Message } from '../message.ts'

export const home = {
  'home.hero': 'One address for every model, and a receipt for every call.',
  'home.lead':
    'Keep the SDK you already use. Change the address, and reach every model of this site with one key, metered to the token and billed to the last digit.',
  'home.start': 'Get started',
  'home.models': { one: '{count} model on sale', other: '{count} models on sale' },
  'home.noModels': 'Opening soon: no models are on sale yet',
  'home.oneLine': 'Only the address and the key change',
  'home.protocols': 'Protocol',
  'home.onSale': 'On sale here',
  'home.priceNote': 'Per million tokens, before your group’s multiplier',
  'home.why': 'What you can count on',
  'home.point.exact': 'Exact to ten decimals',
  'home.point.exact.text': 'Every call has a receipt: tokens by kind, unit price, multipliers, and the sum. You can recompute it.',
  'home.point.protocols': 'Four protocols, nothing lost',
  'home.point.protocols.text':
    'OpenAI Chat and Responses, Claude and Gemini. What cannot be carried over is named, never dropped in silence.',
  'home.point.failover': 'No charge for nothing',
  'home.point.failover.text':
    'A call that produced no answer costs nothing. If one provider fails before the first byte, the next one answers.',
} satisfies Record<string, Message>
