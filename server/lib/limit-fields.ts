/** How much of something may be used; undefined where there is no limit. */
export interface Limits {
  readonly requestsPerMinute: number | undefined
  readonly tokensPerMinute: number | undefined
  readonly concurrency: number | undefined
}

/** The columns and wire fields of everything that can be limited; null: no limit. */
export interface LimitFields {
  rate_limit_rpm: number | null
  rate_limit_tpm: number | null
  rate_limit_concurrency: number | null
}

export const limitKeys = ['rate_limit_rpm', 'rate_limit_tpm', 'rate_limit_concurrency'] as const satisfies (keyof LimitFields)[]

/** A stored row's limits, or undefined when it has none: the usual case costs one comparison. */
export function limitsOf(row: LimitFields): Limits | undefined {
  const { rate_limit_rpm: rpm, rate_limit_tpm: tpm, rate_limit_concurrency: concurrency } = row
  if (rpm === null && tpm === null && concurrency === null) return undefined
  return { requestsPerMinute: rpm ?? undefined, tokensPerMinute: tpm ?? undefined, concurrency: concurrency ?? undefined }
}

/** The fields of a row as the wire has them. */
export function limitFieldsOf({ rate_limit_rpm, rate_limit_tpm, rate_limit_concurrency }: LimitFields): LimitFields {
  return { rate_limit_rpm, rate_limit_tpm, rate_limit_concurrency }
}

/** Limits of a body. */
export type LimitInput = { [K in keyof LimitFields]?: number | null | undefined }

/** What to store: absent keeps what was there, null takes the limit away. */
export function newLimits(body: LimitInput, before?: LimitFields): LimitFields {
  const next = (key: keyof LimitFields): number | null => (body[key] === undefined ? (before?.[key] ?? null) : body[key])
  return {
    rate_limit_rpm: next('rate_limit_rpm'),
    rate_limit_tpm: next('rate_limit_tpm'),
    rate_limit_concurrency: next('rate_limit_concurrency'),
  }
}
