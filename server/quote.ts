import { parseArgs } from 'node:util'
import { userQuote } from '../contract/api/quotes.ts'
import { meters } from '../contract/meters.ts'
import { readConfig } from './config.ts'
import { readDatabase } from './db/open.ts'
import { readPrices } from './features/catalog/service.ts'
import { quoteFor } from './features/quotes/service.ts'

/**
 * `npm run quote -- --model x --input 1000 --output 500 [--cached-input 200 ...] [--items 1] [--group vip] [--user-channel 1]`:
 * what such a call would cost, line by line, from the prices in the database, also beside a running server. `--input` and
 * `--output` are all tokens of their side. Exits with 1 when there is no price.
 */
const optionOf = (field: string): string => field.replace(/_tokens$/, '').replaceAll('_', '-')
const options = Object.fromEntries(
  ['model', 'items', 'group', 'user-channel', ...meters.map(({ tokens }) => optionOf(tokens))].map((name) => [
    name,
    { type: 'string' as const },
  ]),
)

try {
  const { values } = parseArgs({ options, strict: true })
  const given = (name: string): number | undefined => (values[name] === undefined ? undefined : Number(values[name]))
  const body = userQuote.body?.safeParse({
    model: values['model'],
    user_channel_id: given('user-channel'),
    items: given('items'),
    ...Object.fromEntries(meters.map(({ tokens }) => [tokens, given(optionOf(tokens))])),
  })
  if (!body?.success) throw new Error(body?.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  const config = readConfig()
  const database = { path: config.dbPath, url: config.databaseUrl, onError: (error: Error) => console.error(error.message) }
  const snapshot = await readDatabase(database, (db) => readPrices(db, (what, id) => console.error(`${what} ${id} cannot be read`)))
  const group = [...snapshot.groups.values()].find(({ name }) => name === values['group'])
  if (values['group'] !== undefined && !group) throw new Error(`there is no group ${values['group']}`)
  const answer = quoteFor(snapshot, body.data, { groupIds: group ? [group.id] : [], mode: 'min', userChannelIds: undefined })
  console.log(`${answer.model_name}${answer.free ? ' (free)' : ''}: ${answer.base} without multipliers`)
  for (const offer of answer.offers) {
    console.log(`\n${offer.user_channel_name}: x ${offer.group_multiplier} (${offer.group_source}) x ${offer.channel_multiplier} (channel)`)
    for (const { meter, tokens, unit_price: price, tier, amount } of offer.lines)
      console.log(`  ${meter.padEnd(13)} ${String(tokens).padStart(12)} x ${price}${tier ? ` (from ${tier.min_tokens})` : ''} = ${amount}`)
    console.log(
      `  rounding ${offer.rounding}\n  total    ${offer.total}${offer.highest_total === offer.total ? '' : ` (at most ${offer.highest_total})`}`,
    )
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
