import { z } from 'zod'
import { money, MONEY_ONE, parseMoney, ZERO, type Money } from '../../../contract/money.ts'
import type { LiveSettings } from '../../lib/live-settings.ts'
import { drawBelow } from '../../lib/ids.ts'

/** Random rewards move in whole hundredths from their minimum. */
const CENT = MONEY_ONE / 100n
/** How far ahead the next streak reward is looked for where the streak has no cycle. */
const LOOK_AHEAD_DAYS = 365

/** The settings of the check-in, read at once. */
export interface RewardRules {
  daily: Money
  /** Amount by day of the cycle; empty when streaks are off. */
  streak: ReadonlyMap<number, Money>
  /** 0 or less: days count on without end. */
  cycle: number
  random: { min: Money; max: Money } | undefined
}

const rewardsText = z.record(z.string(), z.unknown())

export function rewardRules(settings: LiveSettings): RewardRules {
  const min = settings.decimal('checkin_random_min')
  const max = settings.decimal('checkin_random_max')
  return {
    daily: settings.decimal('checkin_daily_reward'),
    streak: settings.bool('checkin_streak_enabled') ? streakRewards(settings.text('checkin_streak_rewards')) : new Map(),
    cycle: settings.integer('checkin_streak_cycle_days'),
    random: settings.bool('checkin_random_enabled') && max >= min && max > 0n ? { min, max } : undefined,
  }
}

/** Entries that are no amount are left out; the others hold (W83). */
function streakRewards(text: string): Map<number, Money> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return new Map()
  }
  const parsed = rewardsText.safeParse(json)
  const rewards = new Map<number, Money>()
  for (const [day, value] of Object.entries(parsed.success ? parsed.data : {})) {
    const amount = typeof value === 'string' ? parseMoney(value) : undefined
    if (amount !== undefined && amount > 0n) rewards.set(Number(day), amount)
  }
  return rewards
}

/** The day of the cycle a streak has reached. */
function dayInCycle(streak: number, cycle: number): number {
  return cycle > 0 ? ((streak - 1) % cycle) + 1 : streak
}

export type RewardKind = 'daily' | 'daily_streak' | 'daily_random' | 'daily_streak_random'

/** What the check-in of that streak earns (contract.md 8.1); `draw` gives 0 .. count - 1. */
export function rewardFor(
  rules: RewardRules,
  streak: number,
  draw: (count: number) => number = drawBelow,
): { amount: Money; kind: RewardKind } {
  const bonus = rules.streak.get(dayInCycle(streak, rules.cycle)) ?? ZERO
  const extra = rules.random ? rules.random.min + BigInt(draw(Number((rules.random.max - rules.random.min) / CENT) + 1)) * CENT : ZERO
  return {
    amount: money(rules.daily + bonus + extra),
    kind: `daily${bonus > 0n ? '_streak' : ''}${rules.random ? '_random' : ''}` as RewardKind,
  }
}

/** The nearest day with a streak reward after this streak, named by its day in the cycle. */
export function nextStreakReward(rules: RewardRules, streak: number): { day: number; amount: Money } | undefined {
  const ahead = rules.cycle > 0 ? rules.cycle : LOOK_AHEAD_DAYS
  for (let step = 1; step <= ahead; step += 1) {
    const day = dayInCycle(streak + step, rules.cycle)
    const amount = rules.streak.get(day)
    if (amount !== undefined) return { day, amount }
  }
  return undefined
}
