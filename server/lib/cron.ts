import { Cron as Plan } from 'croner'

/** A time plan in the five fields of cron, in UTC. */
export interface Cron {
  /** The first time after `afterMs` (epoch ms), to the minute; undefined when there is none. */
  next(afterMs: number): number | undefined
}

/**
 * Reads `minute hour day month weekday` or a descriptor such as `@hourly` (crontab(5)). With both days given either one is enough.
 * @throws RangeError that says what is wrong
 */
export function parseCron(text: string): Cron {
  const plan = text.trim()
  const fields = plan.split(/\s+/).length
  // A plan with seconds would read a price list sixty times a minute.
  if (!plan.startsWith('@') && fields !== 5) throw new RangeError('expected five fields or a descriptor such as @hourly')
  try {
    const read = new Plan(plan, { paused: true, timezone: 'UTC', sloppyRanges: true })
    return { next: (afterMs) => read.nextRun(new Date(afterMs))?.getTime() }
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
