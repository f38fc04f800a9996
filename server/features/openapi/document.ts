import { z } from 'zod'
import type { AnyEndpoint } from '../../../contract/endpoint.ts'
import { errors } from '../../../contract/errors.ts'
import type { JsonObject } from '../../../contract/json.ts'
import { describeGateway, gatewayOperations } from './gateway.ts'

/** What the document of OpenAPI 3.1.1 looks like (spec.openapis.org/oas/v3.1.1). */
export interface OpenapiDocument extends JsonObject {
  openapi: '3.1.1'
  info: JsonObject
  paths: Record<string, JsonObject>
  components: JsonObject
}

/** Success answers that are no JSON, by operation; a redirect has no body. */
const OTHER_ANSWERS: Record<string, Record<string, readonly string[]>> = {
  'GET /auth/login': { 302: [] },
  'GET /auth/callback': { 302: [] },
  'GET /api/payment/yipay/return': { 302: [] },
  'GET /api/payment/openpayment/return': { 302: [] },
  'GET /api/payment/yipay/notify': { 200: ['text/plain'] },
  'POST /api/payment/yipay/notify': { 200: ['text/plain'] },
  'GET /api/payment/openpayment/notify': { 200: ['text/plain'] },
  'POST /api/payment/openpayment/notify': { 200: ['text/plain'] },
  'POST /api/payment/stripe/notify': { 200: ['text/plain'] },
  'GET /api/payment/openpayment/submit/:order_no': { 200: ['text/html'] },
  'GET /content/:page': { 200: ['text/html'] },
  'GET /api/user/ledger/export': { 200: ['text/csv'] },
  'GET /api/ledger/export': { 200: ['text/csv'] },
  'GET /metrics': { 200: ['text/plain'] },
  'POST /api/channels/test': { 200: ['text/event-stream'] },
}
/** Beside JSON. */
const ALSO: Record<string, readonly string[]> = {
  'GET /api/user/statements/:month': ['text/html', 'text/csv'],
  'GET /api/reports/daily': ['text/csv'],
  'GET /api/audit-logs/export': ['text/csv'],
}
/** These talk to a gateway or a browser, so their refusals are texts. */
const TEXT_ERRORS = /^\/api\/payment\/\w+\/(notify|submit)/

const ACCESS: Record<AnyEndpoint['access'], string> = {
  public: 'Nobody need sign in.',
  user: 'Any signed-in user.',
  support: 'Role support or above.',
  finance: 'Role finance or above.',
  admin: 'Role admin or above.',
  owner: 'The owner only.',
}

/** Where the definitions of an operation's schemas go, and what tells them from another's. */
interface Place {
  name: string
  components: JsonObject
}

const PARAM = /:(\w+)/g

/** `/api/groups/:id` as OpenAPI writes it. */
export function openapiPath(path: string): string {
  return path.replace(PARAM, '{$1}')
}

/** The document of these operations and of the gateway's. */
export function openapiDocument(endpoints: readonly AnyEndpoint[]): OpenapiDocument {
  const paths: Record<string, JsonObject> = {}
  const schemas: JsonObject = { Error: errorSchema }
  for (const endpoint of endpoints) {
    ;(paths[openapiPath(endpoint.path)] ??= {})[endpoint.method.toLowerCase()] = describe(endpoint, schemas)
  }
  for (const operation of gatewayOperations) (paths[operation.path] ??= {})[operation.method] = describeGateway(operation)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tollgate',
      version: '1',
      description: 'The dashboard, and the gateway below /v1 and /v1beta.',
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A session, as signing in answers it.' },
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key (sk-...); on the gateway only.' },
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key or a session.' },
        apiKeyQuery: { type: 'apiKey', in: 'query', name: 'key', description: "On Gemini's addresses below /v1beta only." },
      },
      schemas,
    },
    'x-errors': Object.entries(errors).map(([code, { status, message }]) => ({ code, status, message })),
    'x-roles': ['user', 'support', 'finance', 'admin', 'owner'].map((name) => ({ name })),
  }
}

const errorSchema: JsonObject = {
  type: 'object',
  description: 'A failed call; `code` is a row of x-errors, other members help to correct the request.',
  properties: {
    error: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errors) },
    request_id: { type: 'string' },
    retry_after: { type: 'number' },
  },
  required: ['error'],
  additionalProperties: true,
}

function describe(endpoint: AnyEndpoint, components: JsonObject): JsonObject {
  const { method, path, access, stepUp, summary, params, query, body } = endpoint
  const name = `${method} ${path}`
  const fresh = stepUp === undefined ? '' : ' Needs a fresh proof of who asks (`step_up_required`).'
  const operationId = name.replace(/[^a-z0-9]+/gi, '_').replace(/_$/, '')
  const place: Place = { name: operationId, components }
  return {
    operationId,
    tags: [path.split('/').find((part) => part !== '' && part !== 'api' && !part.startsWith(':')) ?? 'api'],
    summary,
    description: `${ACCESS[access]}${fresh}`,
    'x-access': access,
    security: access === 'public' ? [] : [{ session: [] }, { apiKeyHeader: [] }],
    parameters: [...pathParameters(path, params, place), ...queryParameters(query, place)],
    ...(body
      ? {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: json(schemaOf(body, 'input', { name: `${operationId}_body`, components })),
          },
        }
      : {}),
    responses: { ...successOf(endpoint, name, place), ...refusals(path) },
  }
}

function successOf({ response }: AnyEndpoint, name: string, place: Place): JsonObject {
  const other = OTHER_ANSWERS[name]
  if (other)
    return Object.fromEntries(
      Object.entries(other).map(([status, types]) => [
        status,
        types.length === 0
          ? { description: 'Sent on', headers: { location: { schema: { type: 'string' } } } }
          : { description: 'Done', content: texts(types) },
      ]),
    )
  return { 200: { description: 'Done', content: { ...json(schemaOf(response, 'output', place)), ...texts(ALSO[name] ?? []) } } }
}

function refusals(path: string): JsonObject {
  const content = { ...json({ $ref: '#/components/schemas/Error' }), ...(TEXT_ERRORS.test(path) ? texts(['text/plain']) : {}) }
  return { '4XX': { description: 'Refused', content }, '5XX': { description: 'Failed', content } }
}

function pathParameters(path: string, params: z.ZodType | undefined, place: Place): JsonObject[] {
  const properties = params ? (schemaOf(params, 'input', place)['properties'] as JsonObject | undefined) : undefined
  return [...path.matchAll(PARAM)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: properties?.[name] ?? { type: 'string' },
  }))
}

function queryParameters(query: z.ZodType | undefined, place: Place): JsonObject[] {
  if (query === undefined) return []
  const { properties, required } = schemaOf(query, 'input', place) as { properties?: JsonObject; required?: string[] }
  return Object.entries(properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required?.includes(name) ?? false,
    schema: schema ?? {},
  }))
}

/**
 * OpenAPI 3.1 takes schemas of JSON Schema 2020-12 as they are, but a reference starts at the document's root: the `$defs`
 * of recursive schemas become components, named after the operation.
 */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', { name, components }: Place): JsonObject {
  const text = JSON.stringify(z.toJSONSchema(schema, { io })).replaceAll('"#/$defs/', `"#/components/schemas/${name}_${io}_`)
  const { $schema: _, $defs, ...rest } = JSON.parse(text) as JsonObject
  for (const [key, definition] of Object.entries(($defs ?? {}) as JsonObject)) components[`${name}_${io}_${key}`] = definition
  return rest
}

function json(schema: JsonObject): JsonObject {
  return { 'application/json': { schema } }
}

function texts(types: readonly string[]): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]))
}
