import { z } from 'zod'
import { nonNegativeDecimal } from '../decimal.ts'

/** Budgets by day and month of the site's time zone (null: none), and what was spent of them. */
export const budgetFields = {
  budget_daily: z.string().nullable(),
  budget_monthly: z.string().nullable(),
  budget_daily_used: z.string(),
  budget_monthly_used: z.string(),
}

/** Absent: kept; null: no budget. */
export const budgetInput = {
  budget_daily: nonNegativeDecimal.nullish(),
  budget_monthly: nonNegativeDecimal.nullish(),
}
