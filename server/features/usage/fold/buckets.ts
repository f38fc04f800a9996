import { LATENCY_PLACES, latencyBounds } from '../../../../contract/latency.ts'
import { countNames, type FoldedRow, type Kind } from './store.ts'
import { DAY_MS, QUARTER_MS } from '../../../lib/clock.ts'

/** What a bucket is told apart by, in the order of the table's key. */
type Key = [kind: Kind, span: number, startedAt: number, ...dimensions: (string | number)[]]

interface Sums {
  key: Key
  numbers: Float64Array
  money: [cost: bigint, uncollected: bigint, upstreamCost: bigint, unknownCostSales: bigint]
}

const at = Object.fromEntries(countNames.map((name, index) => [name, index])) as Record<(typeof countNames)[number], number>
const moneyNames = ['cost', 'uncollected', 'upstream_cost', 'unknown_cost_sales'] as const
const failures = new Set([
  'upstream_error_before_content',
  'upstream_error_after_content',
  'timeout_before_content',
  'timeout_after_content',
  'shutdown',
  'crashed',
])

/** Calls added up by quarter of an hour, for each kind; the days are sums of the quarters. Reads nothing, writes nothing. */
export class Buckets {
  readonly #quarters = new Map<string, Sums>()

  /** Rows of the table at most: the days are not more than the quarters. */
  get size(): number {
    return this.#quarters.size * 2
  }

  add(row: FoldedRow): void {
    const startedAt = row.created_at - (row.created_at % QUARTER_MS)
    const key = row.api_key_id ?? 0
    const userChannel = row.user_channel_id ?? 0
    const channel = row.channel_id ?? 0
    const { user_id: user, model_name: model } = row
    this.#addTo(row, 'site', startedAt, 0, 0, 0, 0, 0, '')
    this.#addTo(row, 'model', startedAt, 0, 0, 0, 0, 0, model)
    this.#addTo(row, 'channel', startedAt, 0, 0, 0, userChannel, channel, '')
    this.#addTo(row, 'user', startedAt, 0, user, 0, 0, 0, '')
    this.#addTo(row, 'own', startedAt, user, 0, key, 0, 0, model)
  }

  /** The values of each row of the table, in the order of `keyNames` and `countNames`. */
  *rows(): Generator<(string | number | bigint)[]> {
    const days = new Map<string, Sums>()
    for (const sums of this.#quarters.values()) {
      yield valuesOf(sums)
      const [kind, , startedAt, ...rest] = sums.key
      const key: Key = [kind, DAY_MS, startedAt - (startedAt % DAY_MS), ...rest]
      const id = key.join('|')
      const day = days.get(id)
      if (day) addUp(day, sums)
      else days.set(id, { key, numbers: sums.numbers.slice(), money: [...sums.money] })
    }
    for (const sums of days.values()) yield valuesOf(sums)
  }

  #addTo(
    row: FoldedRow,
    kind: Kind,
    startedAt: number,
    owner: number,
    user: number,
    key: number,
    userChannel: number,
    channel: number,
    model: string,
  ): void {
    // The model comes last: a bar in its name cannot make two keys one.
    const id = `${kind}|${startedAt}|${owner}|${user}|${key}|${userChannel}|${channel}|${model}`
    let sums = this.#quarters.get(id)
    if (!sums) {
      const fullKey: Key = [kind, QUARTER_MS, startedAt, owner, user, key, userChannel, channel, model]
      sums = { key: fullKey, numbers: new Float64Array(countNames.length), money: [0n, 0n, 0n, 0n] }
      this.#quarters.set(id, sums)
    }
    addRow(sums, row)
  }
}

function addRow({ numbers, money }: Sums, row: FoldedRow): void {
  const plus = (index: number, value: number): void => {
    numbers[index] = (numbers[index] ?? 0) + value
  }
  plus(row.parent_request_id === null ? at.requests : at.parts, 1)
  if (row.end_reason === 'client_gone') plus(at.abandoned, 1)
  else if (failures.has(row.end_reason)) plus(at.errors, 1)
  plus(at.input_tokens, row.input_tokens)
  plus(at.output_tokens, row.output_tokens)
  plus(at.cached_input_tokens, row.cached_input_tokens)
  plus(at.cache_write_tokens, row.cache_write_input_tokens + row.cache_write_1h_input_tokens)
  plus(at.reasoning_tokens, row.reasoning_tokens)
  if (row.first_response_time_ms !== null) plus(at.first_0 + placeOf(row.first_response_time_ms), 1)
  if (row.end_reason === 'complete') plus(at.whole_0 + placeOf(row.response_time_ms), 1)
  money[0] += row.cost
  money[1] += row.uncollected
  if (row.upstream_cost === null) {
    money[3] += row.cost
    plus(at.unknown_cost_requests, 1)
  } else money[2] += row.upstream_cost
}

function addUp(sum: Sums, other: Sums): void {
  for (let index = 0; index < sum.numbers.length; index += 1) sum.numbers[index] = (sum.numbers[index] ?? 0) + (other.numbers[index] ?? 0)
  for (let index = 0; index < sum.money.length; index += 1) sum.money[index] = (sum.money[index] ?? 0n) + (other.money[index] ?? 0n)
}

function placeOf(ms: number): number {
  const place = latencyBounds.findIndex((bound) => ms < bound)
  return place === -1 ? LATENCY_PLACES - 1 : place
}

function valuesOf({ key, numbers, money }: Sums): (string | number | bigint)[] {
  const values: (string | number | bigint)[] = [...key]
  for (let index = 0; index < numbers.length; index += 1) values.push(numbers[index] ?? 0)
  for (const [index, name] of moneyNames.entries()) values[key.length + at[name]] = money[index] ?? 0n
  return values
}
