import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { OpenapiDocument } from '../../server/features/openapi/document.ts'
import { createTestApp, type TestApp } from '../app.ts'

/** Every address of contract.md section 3, in its order. */
const CONTRACT = `
GET /health
GET /api/public/settings
GET /api/public/models
GET /api/public/status
GET /api/public/announcements
GET /api/pricing
GET /api/setup/status
POST /api/setup
GET /api/payment/yipay/return
GET /api/payment/yipay/notify
POST /api/payment/yipay/notify
GET /api/payment/openpayment/return
GET /api/payment/openpayment/notify
POST /api/payment/openpayment/notify
GET /api/payment/openpayment/submit/{order_no}
POST /auth/password/login
POST /auth/password/register
POST /auth/password/email-code
POST /auth/passkey/login/options
POST /auth/passkey/login
GET /auth/login
GET /auth/callback
GET /v1/models
POST /v1/chat/completions
POST /v1/completions
POST /v1/responses
POST /v1/images/generations
POST /v1/messages
POST /v1/models/{model}:generateContent
POST /v1beta/models/{model}:generateContent
GET /api/settings
PUT /api/settings
GET /api/status-monitors
POST /api/status-monitors
PUT /api/status-monitors/{id}
DELETE /api/status-monitors/{id}
POST /api/status-monitors/{id}/check
GET /api/announcements
POST /api/announcements
PUT /api/announcements/{id}
DELETE /api/announcements/{id}
GET /api/channels
POST /api/channels
PUT /api/channels/{id}
DELETE /api/channels/{id}
PUT /api/channels/{id}/group-multipliers
GET /api/channels/{id}/models
POST /api/channels/{id}/models
POST /api/channels/sync
GET /api/models
POST /api/models
POST /api/models/sync
POST /api/models/sync/preview
POST /api/models/sync/preview/browser
POST /api/models/sync/apply
POST /api/models/prices/sync/preview
POST /api/models/prices/sync/preview/browser
POST /api/models/prices/sync/apply
PUT /api/models/{id}
DELETE /api/models/{id}
PUT /api/channel-models/{id}
DELETE /api/channel-models/{id}
PUT /api/channel-models/{id}/group-multipliers
GET /api/user-channels
POST /api/user-channels
PUT /api/user-channels/{id}
DELETE /api/user-channels/{id}
GET /api/groups
POST /api/groups
PUT /api/groups/{id}
DELETE /api/groups/{id}
GET /api/users
PUT /api/users/{id}
DELETE /api/users/{id}
GET /api/referral-commissions
GET /api/logs
GET /api/stats
GET /api/channel-usage
GET /api/user/me
GET /api/user/catalog
GET /api/user/stats
GET /api/user/logs
GET /api/user/referral
GET /api/user/check-in/status
GET /api/user/check-in/records
POST /api/user/check-in
GET /api/user/payment/config
GET /api/user/payment/orders
POST /api/user/payment/orders
GET /api/user/payment/orders/{order_no}
GET /api/user/passkeys
POST /api/user/passkeys/register/options
POST /api/user/passkeys/register
DELETE /api/user/passkeys/{id}
GET /api/user/password/method
POST /api/user/password/email-code
POST /api/user/password/change
POST /api/user/oidc/bind-url
GET /api/user/api-keys
POST /api/user/api-keys
PUT /api/user/api-keys/{id}
DELETE /api/user/api-keys/{id}
POST /api/user/api-key/rotate
GET /api/meta-models
POST /api/meta-models
PUT /api/meta-models/{id}
DELETE /api/meta-models/{id}
POST /api/meta-models/validate
`
  .trim()
  .split('\n')

/** Of the contract, but not served yet; whoever adds one takes its pattern out here. */
const TO_COME = [/status-monitors/, /\/public\/status$/, /\/sync(\/|$)/]

let app: TestApp
let document: OpenapiDocument
let served: string[]
beforeAll(async () => {
  app = await createTestApp()
  document = (await app.api<OpenapiDocument>('GET', '/openapi.json', undefined, null)).body
  served = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
})
afterAll(() => app.close())

test('every address of the contract is served, but for those that are named as to come', () => {
  expect(new Set(CONTRACT).size).toBe(CONTRACT.length)
  const missing = CONTRACT.filter((name) => !served.includes(name))
  expect(missing.filter((name) => !TO_COME.some((pattern) => pattern.test(name)))).toEqual([])
})

test('docs/api.md lists every added address, and no other', () => {
  const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^- `((?:GET|POST|PUT|DELETE) [^`]+)`/gm)].map(([, name]) => name)
  const contract = new Set(CONTRACT)
  expect(new Set(listed)).toEqual(new Set(served.filter((name) => !contract.has(name))))
  expect(new Set(listed).size).toBe(listed.length)
})
