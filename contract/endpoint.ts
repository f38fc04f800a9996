import type { z } from 'zod'

/**
 * Who may call: `public` nobody need sign in; `user` any session; `support` reads the admin area; `finance` and `admin`
 * change money and everything else; `owner` what only the owner may. Omission does not compile.
 */
export type Access = 'public' | 'user' | 'support' | 'finance' | 'admin' | 'owner'

/**
 * Needs a fresh proof of who sits before the session: `always`, or `site`, of the accounts that the setting
 * `step_up_accounts` names.
 */
export type StepUp = 'always' | 'site'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** One HTTP operation: validated on the server, typed in the console, printed in the OpenAPI document. */
export interface Endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType> {
  readonly method: Method
  /** With `:name` parameters. */
  readonly path: string
  readonly access: Access
  readonly stepUp?: StepUp
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly response: R
}

export type AnyEndpoint = Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType>

/**
 * Declares an operation.
 * @example endpoint({ method: 'GET', path: '/api/groups', access: 'support', summary: 'All groups', response: z.array(group) })
 */
export function endpoint<
  R extends z.ZodType,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(definition: Endpoint<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return definition
}

export type ParamsOf<E> = E extends Endpoint<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never
export type QueryOf<E> = E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never
export type BodyOf<E> = E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never
/** What a handler returns. */
export type ResponseOf<E> = E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.input<R> : never
