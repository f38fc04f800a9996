/** A time plan in the five fields of cron, in UTC; written here because nothing that is installed reads one. */
export interface Cron {
  /** The first time after `afterMs` (epoch ms), to the minute; undefined when there is none within eight years. */
  next(afterMs: number): number | undefined
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** 29 February comes within eight years (1896 to 1904). */
const MAX_DAYS = 8 * 366

const descriptors: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/**
 * Reads `minute hour day month weekday` or a descriptor such as `@hourly` (crontab(5)). With both days given either one is enough.
 * @throws RangeError that says what is wrong
 */
export function parseCron(text: string): Cron {
  const plan = text.trim().toLowerCase()
  const fields = (Object.hasOwn(descriptors, plan) ? descriptors[plan] : plan)?.split(/\s+/) ?? []
  const [minute, hour, day, month, weekday] = fields
  if (fields.length !== 5 || minute === undefined || hour === undefined || !day || !month || !weekday)
    throw new RangeError('expected five fields or a descriptor such as @hourly')
  const minutes = field(minute, 0, 59)
  const hours = field(hour, 0, 23)
  const days = field(day, 1, 31)
  const months = field(month, 1, 12, MONTHS)
  // 7 is Sunday too.
  const weekdays = new Set([...field(weekday, 0, 7, DAYS)].map((value) => value % 7))
  const either = !day.startsWith('*') && !weekday.startsWith('*')
  const isDay = (date: Date): boolean => {
    const [byDay, byWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())]
    return months.has(date.getUTCMonth() + 1) && (either ? byDay || byWeekday : byDay && byWeekday)
  }
  return {
    next(afterMs) {
      const first = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS
      const midnight = Math.floor(first / DAY_MS) * DAY_MS
      for (let index = 0; index < MAX_DAYS; index += 1) {
        const start = midnight + index * DAY_MS
        if (!isDay(new Date(start))) continue
        for (const h of hours) {
          for (const m of minutes) {
            const at = start + (h * 60 + m) * MINUTE_MS
            if (at >= first) return at
          }
        }
      }
      return undefined
    },
  }
}

/** The values of a field, ascending: `*`, `a`, `a-b`, each with a step, in a list. */
function field(text: string, min: number, max: number, names: readonly string[] = []): Set<number> {
  const values = new Set<number>()
  const valueOf = (word: string): number => {
    const name = names.indexOf(word)
    if (name >= 0) return name + min
    if (!/^\d{1,2}$/.test(word)) throw new RangeError(`${word} is not a number from ${min} to ${max}`)
    return Number(word)
  }
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    const by = step === undefined ? 1 : Number(step)
    if (more !== undefined || (step !== undefined && !/^[1-9]\d?$/.test(step))) throw new RangeError(`${part} has no valid step`)
    const [from, to, rest] = range === '*' ? [min, max] : range.split('-').map(valueOf)
    const last = to ?? (step === undefined ? from : max)
    if (from === undefined || last === undefined || rest !== undefined || from < min || last > max || from > last)
      throw new RangeError(`${part} is not within ${min} to ${max}`)
    for (let value = from; value <= last; value += by) values.add(value)
  }
  return new Set([...values].sort((a, b) => a - b))
}
