import { z } from 'zod'
import { decimalInput } from '../decimal.ts'
import { endpoint } from '../endpoint.ts'
import { meters, type PriceField } from '../meters.ts'
import { cardInput, cardOutput } from '../prices.ts'
import { idParams, listSchema, messageAnswer, pageQuery, time } from './common.ts'
import { iconUrl, MAX_MODEL_NAME, providerText } from './models.ts'

const planValue = z.strictObject({
  kind: z.enum(['string', 'number', 'bool']),
  string: z.string().optional(),
  number: z.number().optional(),
  bool: z.boolean().optional(),
})
interface PlanConditionWire {
  left?: string | undefined
  operator: string
  right?: z.output<typeof planValue> | undefined
  conditions?: PlanConditionWire[] | undefined
}
/** A comparison; `and`, `or` and `not` have `conditions` instead of sides. */
const planCondition: z.ZodType<PlanConditionWire, PlanConditionWire> = z.lazy(() =>
  z.strictObject({
    left: z.string().optional(),
    operator: z.string(),
    right: planValue.optional(),
    conditions: z.array(planCondition).optional(),
  }),
)
interface PlanActionWire {
  kind: 'call' | 'route' | 'switch' | 'parallel' | 'judge' | 'fallback'
  model?: string | undefined
  prompt?: string | undefined
  routes?: { condition?: PlanConditionWire | undefined; otherwise?: true | undefined; action: PlanActionWire }[] | undefined
  switches?: { weight?: number | undefined; otherwise?: true | undefined; action: PlanActionWire }[] | undefined
  calls?: PlanActionWire[] | undefined
  synthesize_model?: string | undefined
}
const otherwise = z.literal(true).optional()
const planAction: z.ZodType<PlanActionWire, PlanActionWire> = z.lazy(() =>
  z.strictObject({
    kind: z.enum(['call', 'route', 'switch', 'parallel', 'judge', 'fallback']),
    model: z.string().optional(),
    prompt: z.string().optional(),
    routes: z.array(z.strictObject({ condition: planCondition.optional(), otherwise, action: planAction })).optional(),
    switches: z.array(z.strictObject({ weight: z.number().optional(), otherwise, action: planAction })).optional(),
    calls: z.array(planAction).optional(),
    synthesize_model: z.string().optional(),
  }),
)
/** A program as JSON (contract.md 3.7). */
const plan = z.strictObject({ options: z.array(z.strictObject({ name: z.string(), value: planValue })).nullable(), root: planAction })

/** One finding about a program; lines and columns count from 1. A refused program has them in the error's answer. */
const diagnostic = z.strictObject({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  line: z.int(),
  column: z.int(),
  length: z.int(),
  message: z.string(),
  suggestion: z.string().optional(),
})

export const metaModelWire = z.strictObject({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  dsl: z.string(),
  billing_mode: z.enum(['actual', 'meta']),
  ...cardOutput,
  provider: z.string(),
  provider_name: z.string(),
  provider_icon_url: z.string(),
  expose_referenced_models: z.boolean(),
  enabled: z.boolean(),
  created_at: time,
  updated_at: time,
})
export type MetaModelWire = z.input<typeof metaModelWire>
const changed = z.strictObject({ meta_model: metaModelWire, plan, diagnostics: z.array(diagnostic) })
export type ChangedMetaModel = z.input<typeof changed>

const price = decimalInput.refine((amount) => amount >= 0n, { error: 'Prices must not be negative' }).nullish()
const prices = Object.fromEntries(meters.map((meter) => [meter.price, price])) as Record<PriceField, typeof price>

/** Longer than the longest program is refused by the language itself, with a place. */
const dsl = z.string({ error: 'DSL is required' }).max(200_000)
const billingMode = z
  .string()
  .trim()
  .transform((mode) => mode || 'actual')
  .pipe(z.enum(['actual', 'meta'], { error: 'Invalid billing mode' }))

const metaModelBody = z.object({
  name: z.string({ error: 'Meta model name is required' }).trim().min(1, { error: 'Meta model name is required' }).max(MAX_MODEL_NAME),
  description: z.string().trim().max(255).nullish(),
  dsl: dsl.trim().min(1, { error: 'DSL is required' }),
  billing_mode: billingMode.nullish(),
  ...cardInput,
  ...prices,
  provider: providerText.nullish(),
  provider_name: z.string().trim().max(100).nullish(),
  provider_icon_url: iconUrl.nullish(),
  expose_referenced_models: z.boolean().nullish(),
  enabled: z.boolean().nullish(),
})
export type MetaModelBody = z.output<typeof metaModelBody>

export const listMetaModels = endpoint({
  method: 'GET',
  path: '/api/meta-models',
  access: 'support',
  summary: 'All meta models, newest first',
  query: pageQuery,
  response: listSchema(metaModelWire),
})
export const createMetaModel = endpoint({
  method: 'POST',
  path: '/api/meta-models',
  access: 'admin',
  summary: 'Makes a meta model from a program; one with mistakes is refused with the places of all of them',
  body: metaModelBody,
  response: changed,
})
export const updateMetaModel = endpoint({
  method: 'PUT',
  path: '/api/meta-models/:id',
  access: 'admin',
  summary: 'Replaces a meta model; what is absent of its provider and its switches is kept',
  params: idParams('Invalid meta model id'),
  body: metaModelBody,
  response: changed,
})
export const deleteMetaModel = endpoint({
  method: 'DELETE',
  path: '/api/meta-models/:id',
  access: 'admin',
  summary: 'Deletes a meta model',
  params: idParams('Invalid meta model id'),
  response: messageAnswer,
})
export const validateMetaModel = endpoint({
  method: 'POST',
  path: '/api/meta-models/validate',
  access: 'support',
  summary: 'Checks a program: its plan, its one written form and warnings; nothing is stored, nobody is called',
  body: z.object({ name: z.string().trim().nullish(), dsl: dsl.nullish() }),
  response: z.strictObject({ plan, formatted: z.string(), diagnostics: z.array(diagnostic) }),
})

/** Cases of one run: a table of saved cases, and room. */
const MAX_CASES = 1_000

const step = z.strictObject({
  line: z.int(),
  column: z.int(),
  kind: z.enum(['when', 'otherwise', 'weight', 'judge', 'call', 'parallel', 'fallback']),
  text: z.string(),
  taken: z.boolean(),
  /** What the condition's variables were; `"unlimited"` and null stand for numbers that have no figure. */
  values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
})
const simulated = z.strictObject({
  /** The model whose answer the customer gets. */
  model: z.string(),
  path: z.array(step),
  /** What the call costs at most, as it would be held: all parts. */
  estimated_cost: z.string(),
  /** Each call that would be made, in order; of a fallback the ones after the first only if it fails. */
  parts: z.array(
    z.strictObject({ role: z.enum(['answer', 'judge', 'candidate', 'fallback']), model: z.string(), estimated_cost: z.string() }),
  ),
})
export type SimulatedWire = z.input<typeof simulated>

export const simulateMetaModel = endpoint({
  method: 'POST',
  path: '/api/meta-models/simulate',
  access: 'support',
  summary: 'Runs a program on sample requests: the way through it, the model and the estimated cost, without calling anyone',
  body: z.object({
    name: z.string().trim().nullish(),
    dsl,
    billing_mode: billingMode.nullish(),
    ...cardInput,
    cases: z
      .array(
        z.object({
          variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullish(),
          /** What a switch draws, 0 <= x < 1; absent: chance. */
          random: z.number().min(0).lt(1).nullish(),
        }),
      )
      .max(MAX_CASES),
  }),
  response: z.strictObject({ results: z.array(simulated), diagnostics: z.array(diagnostic) }),
})
export type SimulateBody = z.output<typeof simulateMetaModel.body & z.ZodType>
