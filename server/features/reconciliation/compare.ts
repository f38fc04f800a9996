import { formatMoney, type Money } from '../../../contract/money.ts'
import type { UsageField, UsageRow } from './formats.ts'

/** What our rows say of a day and upstream model; never null. */
export type OwnRow = Omit<UsageRow, UsageField> & Record<Exclude<UsageField, 'upstream_cost'>, number> & { upstream_cost: Money }

export interface Difference {
  day: number
  subject: string
  field: UsageField
  ours: string
  theirs: string
  rule: string
}

const fields: readonly UsageField[] = [
  'requests',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'output_tokens',
  'upstream_cost',
]

/** Why a difference that is the neighbouring day's, the other way round, is none: we write a call down when it ends, they when it begins. */
const MIDNIGHT = 'made up on the neighbouring day: calls that ran over midnight'

/** Why we may have more calls than they, at the same use. */
const FAILED = 'calls that failed without using anything are counted here'

/**
 * What differs between an upstream's file and our rows, per day, model and field; what the file does not say is not
 * compared. A model that only one side has is compared with nothing. Pure.
 */
export function compareUsage(theirs: readonly UsageRow[], ours: readonly OwnRow[]): Difference[] {
  const names = new Set(ours.map(({ model }) => model))
  const told = new Map<string, UsageRow>()
  for (const row of theirs) {
    const model = nameOf(row.model, names)
    const key = keyOf(row.day, model)
    const before = told.get(key)
    told.set(key, before ? { ...addRows(before, row), model } : { ...row, model })
  }
  const own = new Map(ours.map((row) => [keyOf(row.day, row.model), row]))
  // What the file says of none of its rows it does not know; then a day it leaves out is no zero.
  const known = fields.filter((field) => theirs.some((row) => row[field] !== null))
  const found: (Difference & { off: bigint })[] = []
  for (const key of new Set([...told.keys(), ...own.keys()])) {
    const their = told.get(key)
    const our = own.get(key)
    const { day, model } = their ?? our ?? { day: 0, model: '' }
    for (const field of known) {
      const a = BigInt(our?.[field] ?? 0)
      const b = BigInt(their?.[field] ?? 0)
      if (a !== b && (their === undefined || their[field] !== null))
        found.push({ day, subject: model, field, ours: textOf(field, a), theirs: textOf(field, b), rule: '', off: a - b })
    }
  }
  const off = new Map(found.map((one) => [`${one.field} ${keyOf(one.day, one.subject)}`, one.off]))
  return found
    .map(({ off: by, ...one }) => {
      const spent = fields.some((field) => field !== 'requests' && off.has(`${field} ${keyOf(one.day, one.subject)}`))
      if (one.field === 'requests' && by > 0n && !spent) return { ...one, rule: FAILED }
      const made = [one.day - 1, one.day + 1].some((day) => off.get(`${one.field} ${keyOf(day, one.subject)}`) === -by)
      return made ? { ...one, rule: MIDNIGHT } : one
    })
    .toSorted((a, b) => a.day - b.day || (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0))
}

/** Our name of an upstream's model: its own, or the one without the date of a snapshot, when only that is known here. */
function nameOf(model: string, ours: ReadonlySet<string>): string {
  if (ours.has(model)) return model
  const undated = model.replace(/-(\d{4}-\d\d-\d\d|20\d{6})$/, '')
  return ours.has(undated) ? undated : model
}

function addRows(a: UsageRow, b: UsageRow): UsageRow {
  const sum = { ...a }
  for (const field of fields) {
    if (b[field] === null) continue
    if (field === 'upstream_cost') sum.upstream_cost = ((a.upstream_cost ?? 0n) + (b.upstream_cost ?? 0n)) as Money
    else sum[field] = (a[field] ?? 0) + (b[field] ?? 0)
  }
  return sum
}

function keyOf(day: number, model: string): string {
  return `${day} ${model}`
}

function textOf(field: UsageField, value: bigint): string {
  return field === 'upstream_cost' ? formatMoney(value as Money) : value.toString()
}
