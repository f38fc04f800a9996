import type { JsonObject } from './json.ts'

/**
 * One table: stable code -> HTTP status and public message. Nobody compares messages; the console translates by code.
 * Texts that the contract fixes (contract.md 1.4, 3.x, 6.9) stand here word for word.
 */
export const errors = {
  // Requests
  bad_request: { status: 400, message: 'The request is not valid' },
  bad_json: { status: 400, message: 'The request body is not valid JSON' },
  body_not_object: { status: 400, message: 'The request body must be a JSON object' },
  bad_host: { status: 400, message: 'The Host of the request is missing or cannot be one' },
  not_found: { status: 404, message: 'Not found' },
  request_timeout: { status: 408, message: 'The request body came too slowly; send it again' },
  payload_not_found: { status: 404, message: 'Nothing was recorded of this call, or it has been deleted since' },
  conflict: { status: 409, message: 'The object was changed or already exists' },
  precondition_failed: { status: 412, message: 'The object was changed by someone else; load it again' },
  body_too_large: { status: 413, message: 'The request body is larger than 32 MiB' },
  unsupported_media: { status: 415, message: 'The content type or encoding is not supported' },
  rate_limited: { status: 429, message: 'Rate limit exceeded' },
  too_many_requests: { status: 429, message: 'Too many requests. Please try again later.' },
  internal: { status: 500, message: 'Something went wrong on our side; the request id helps to find it' },
  unavailable: { status: 503, message: 'The service cannot take the request right now; try again in a moment' },
  overloaded: { status: 503, message: 'There are more calls than can be taken right now; try again in a moment' },
  shutting_down: { status: 503, message: 'The service is restarting; try again in a few seconds' },

  // Who calls (contract.md 1.4)
  credential_missing: { status: 401, message: 'Authorization is required' },
  api_key_invalid: { status: 401, message: 'Invalid API key' },
  api_key_ip: { status: 403, message: 'API key is not allowed from this IP' },
  api_key_on_dashboard: { status: 401, message: 'API keys work on the gateway only; sign in to use this address' },
  session_invalid: { status: 401, message: 'Invalid session' },
  user_not_found: { status: 401, message: 'User not found' },
  account_disabled: { status: 403, message: 'This account is disabled' },
  admin_required: { status: 403, message: 'Admin access required' },
  role_required: { status: 403, message: 'Your role does not allow this' },

  // Setup and sign-in
  setup_required: { status: 409, message: 'Initial setup is required' },
  setup_complete: { status: 409, message: 'Initial setup is already complete' },
  setup_link_required: { status: 403, message: 'Open the one-time setup link that was printed when the server started' },
  login_failed: { status: 400, message: 'invalid username/email or password' },
  username_taken: { status: 400, message: 'username already exists' },
  email_taken: { status: 400, message: 'email already exists' },
  user_missing: { status: 404, message: 'User not found' },
  no_fields: { status: 400, message: 'No fields to update' },
  group_missing: { status: 400, message: 'Group not found' },
  last_admin: { status: 409, message: 'The last administrator or owner cannot be removed, demoted or disabled' },
  self_delete: { status: 409, message: 'You cannot delete your own account' },
  login_disabled: { status: 400, message: 'password login is disabled' },
  registration_disabled: { status: 400, message: 'password registration is disabled' },
  email_domain: { status: 400, message: 'email domain is not allowed for registration' },
  oidc_disabled: { status: 503, message: 'OIDC is disabled' },
  oidc_unset: { status: 503, message: 'OIDC is not configured' },
  oidc_unavailable: { status: 503, message: 'initialize OIDC provider: it did not answer as it should' },
  oidc_state: { status: 400, message: 'Invalid OIDC state' },
  oidc_code_missing: { status: 400, message: 'Missing authorization code' },
  oidc_denied: { status: 400, message: 'The identity provider did not sign you in' },
  oidc_failed: { status: 500, message: 'The answer of the identity provider could not be verified' },
  oidc_email_unverified: { status: 403, message: 'The identity provider has not verified your e-mail address' },
  oidc_account_exists: {
    status: 403,
    message: 'An account with this e-mail exists; sign in to it and connect the identity provider there',
  },
  /** Its text says which: `POST /api/user/oidc/bind-url` answers 400 where `/auth/login` answers 503 (contract.md 3.6). */
  oidc_bind_unset: { status: 400, message: 'OIDC is not configured' },
  oidc_bound: { status: 500, message: 'OIDC account is already bound to another user' },
  oidc_bind_missing: { status: 500, message: 'OIDC bind request not found' },
  oidc_not_bound: { status: 400, message: 'This account is not connected to an identity provider' },
  sign_in_method_last: { status: 409, message: 'Set a password first: the account would have no way to sign in' },
  smtp_unset: { status: 400, message: 'SMTP is not configured' },
  code_invalid: { status: 400, message: 'invalid or expired email verification code' },
  captcha_unset: { status: 400, message: 'hCaptcha is not configured' },
  captcha_required: { status: 400, message: 'hCaptcha token is required' },
  captcha_failed: { status: 400, message: 'hCaptcha verification failed' },
  captcha_unavailable: { status: 400, message: 'verify hCaptcha: the service did not answer; try again in a moment' },
  password_unset: { status: 400, message: 'password login is not enabled for this account' },
  password_current_required: { status: 400, message: 'current password is required' },
  password_current_wrong: { status: 400, message: 'current password is incorrect' },

  // Passkeys (contract.md 3.3, 3.6)
  passkey_disabled: { status: 400, message: 'passkey authentication is disabled' },
  passkey_rp_unset: { status: 400, message: 'Passkey relying party is not configured' },
  passkey_type: { status: 400, message: 'invalid credential type' },
  passkey_client_data: { status: 400, message: 'invalid client data' },
  passkey_ceremony: { status: 400, message: 'invalid passkey login response' },
  passkey_challenge_missing: { status: 400, message: 'challenge is required' },
  passkey_challenge: { status: 400, message: 'invalid or expired passkey challenge' },
  passkey_origin: { status: 400, message: 'invalid passkey origin' },
  passkey_credential_id: { status: 400, message: 'invalid credential id' },
  passkey_unknown: { status: 400, message: 'passkey not found' },
  passkey_foreign: { status: 400, message: 'passkey does not belong to this account' },
  passkey_authenticator_data: { status: 400, message: 'invalid authenticator data' },
  passkey_rp: { status: 400, message: 'invalid passkey relying party' },
  passkey_presence: { status: 400, message: 'passkey user presence is required' },
  passkey_verification: { status: 400, message: 'passkey user verification is required: unlock it with a PIN, a finger or a face' },
  passkey_signature: { status: 400, message: 'invalid passkey signature' },
  passkey_counter: { status: 400, message: 'passkey counter went back: this answer is an old one, or the passkey was copied' },
  passkey_attestation: { status: 400, message: 'invalid attestation object' },
  passkey_mismatch: { status: 400, message: 'credential id mismatch' },
  passkey_algorithm: { status: 400, message: 'unsupported passkey public key algorithm' },
  passkey_curve: { status: 400, message: 'unsupported passkey elliptic curve' },
  passkey_public_key: { status: 400, message: 'invalid credential public key' },
  passkey_exists: { status: 409, message: 'This passkey is registered already' },
  passkey_limit: { status: 409, message: 'This account has as many passkeys as it can have; delete one first' },
  passkey_missing: { status: 404, message: 'Passkey not found' },
  last_sign_in: { status: 409, message: 'This is the only way into the account; set a password or add another passkey first' },

  // Second factor and step-up
  second_factor_required: {
    status: 403,
    message: 'This account also asks for a code of its authenticator app; sign in on the website, or send the code to /auth/second-factor',
  },
  second_factor_failed: { status: 400, message: 'The code is not right' },
  second_factor_used: { status: 400, message: 'This code was used already; wait for the next one' },
  second_factor_expired: { status: 400, message: 'This took too long; sign in again' },
  totp_enabled: { status: 409, message: 'An authenticator app is set up already; switch it off first' },
  totp_not_begun: { status: 409, message: 'No authenticator app is set up' },
  step_up_required: { status: 403, message: 'Confirm that it is you first: sign in again, or confirm at /api/user/reauth' },

  // API keys
  key_missing: { status: 404, message: 'API key not found' },
  user_channel_unusable: { status: 400, message: 'User channel not found or disabled' },

  // Groups, channels, models
  group_not_found: { status: 404, message: 'Group not found' },
  group_default_name: { status: 400, message: 'Default user group cannot be renamed' },
  group_default_kept: { status: 400, message: 'Default user group cannot be deleted' },
  group_in_use: { status: 400, message: 'Group is in use' },
  name_taken: { status: 409, message: 'This name is already taken' },
  user_channel_not_found: { status: 404, message: 'User channel not found' },
  user_channel_unknown: { status: 400, message: 'User channel not found' },
  channel_not_found: { status: 404, message: 'Channel not found' },
  channel_unknown: { status: 400, message: 'Channel not found' },
  base_url_unsafe: { status: 400, message: 'Unsafe or invalid base URL' },
  catalog_model_not_found: { status: 404, message: 'Model not found' },
  catalog_model_unknown: { status: 400, message: 'record not found' },
  model_free_and_priced: { status: 400, message: 'A free model has no prices: clear the prices or the free mark' },
  channel_model_not_found: { status: 404, message: 'Model config not found' },
  channel_model_exists: { status: 409, message: 'The channel already carries this model' },
  multiplier_zero: {
    status: 400,
    message: 'A multiplier of 0 would mean free: to give a model away mark the model as free, to make it cheaper use a small multiplier',
  },

  // Model and price sync (contract.md 3.5, 10)
  sync_channel_unknown: { status: 500, message: 'Channel not found' },
  sync_format_unknown: { status: 500, message: 'unsupported sync format' },
  sync_path_missing: { status: 500, message: 'custom sync path is required' },
  sync_source_failed: { status: 500, message: 'The list could not be read' },
  sync_nothing_found: { status: 500, message: 'no models found in the list' },
  sync_price_unusable: { status: 400, message: 'A price is larger than any price can be' },
  sync_unconfirmed: { status: 409, message: 'Some prices change by more than the allowed jump or become zero: confirm them by name' },
  price_sync_cron_invalid: { status: 400, message: 'invalid price sync cron' },
  price_sync_missing: { status: 404, message: 'No price list of this channel has been read by schedule yet' },

  // Meta models (contract.md 3.7)
  meta_model_not_found: { status: 404, message: 'Meta model not found' },
  meta_program_invalid: { status: 400, message: 'The program of the meta model is not valid' },
  meta_model_not_allowed: { status: 403, message: 'API key is not allowed to use this meta model' },
  meta_model_unresolved: { status: 503, message: 'Meta model did not resolve to a model' },
  meta_case_invalid: { status: 400, message: 'A case of the simulation is not valid' },
  meta_name_is_model: { status: 409, message: 'A model of this name exists: a meta model would hide it' },
  name_is_meta_model: { status: 409, message: 'A meta model of this name exists: it would hide the model' },

  // Payments (contract.md 3.6)
  payment_disabled: { status: 400, message: 'Payment is disabled' },
  payment_gateway_unset: { status: 400, message: 'payment gateway is not configured' },
  payment_base_url: { status: 400, message: 'The base URL of this site must be set before it can take payments' },
  payment_amount: { status: 400, message: 'Invalid recharge amount' },
  payment_below_minimum: { status: 400, message: 'Recharge amount is below the minimum' },
  payment_above_maximum: { status: 400, message: 'Recharge amount is above the maximum' },
  payment_method: { status: 400, message: 'Payment method is not enabled' },
  payment_open_orders: { status: 409, message: 'Too many unpaid orders; pay one or wait until they expire' },
  payment_url_failed: { status: 500, message: 'Failed to build payment URL' },
  payment_order_missing: { status: 404, message: 'Payment order not found' },
  payment_nothing_left: { status: 409, message: 'Nothing of this payment is left on the balance' },
  payment_order_state: { status: 409, message: 'The order is in a state that does not allow this' },

  usage_file_unreadable: { status: 400, message: 'The usage file cannot be read' },

  // Rewards and announcements
  monitor_not_found: { status: 404, message: 'Status monitor not found' },
  monitor_target_unsafe: { status: 400, message: 'Unsafe or invalid target URL' },
  monitors_too_many: { status: 400, message: 'There are as many status monitors as one site may have' },
  announcement_not_found: { status: 404, message: 'Announcement not found' },
  checkin_disabled: { status: 400, message: 'Check-in is disabled' },
  checkin_done: { status: 400, message: 'Already checked in today' },
  checkin_unverified: { status: 400, message: 'Verify your email address to check in' },
  checkin_network_limit: { status: 429, message: 'Too many check-ins from this network today' },
  checkin_timezone: { status: 500, message: 'Invalid check-in timezone' },
  redeem_code_not_found: { status: 404, message: 'Redeem code not found' },
  redeem_code_unknown: { status: 400, message: 'Redeem code not found' },
  redeem_code_disabled: { status: 400, message: 'Redeem code is disabled' },
  redeem_code_expired: { status: 400, message: 'Redeem code has expired' },
  redeem_code_spent: { status: 400, message: 'Redeem code has been fully used' },
  redeem_code_used: { status: 400, message: 'Redeem code already used' },
  redeem_code_empty: { status: 400, message: 'A redeem code needs an amount or a group' },
  redeem_code_exists: { status: 409, message: 'This redeem code already exists' },

  // The gateway
  model_missing: { status: 400, message: 'Model not specified' },
  model_not_allowed: { status: 403, message: 'API key is not allowed to use this model' },
  model_not_found: { status: 404, message: 'The model does not exist' },
  model_unpriced: { status: 503, message: 'The model has no price yet and cannot be used; ask the site owner' },
  no_channel: { status: 503, message: 'No available channel for this model' },
  key_without_channel: { status: 403, message: 'API key must be bound to exactly one user channel' },
  insufficient_balance: { status: 402, message: 'Insufficient balance' },
  account_in_debt: { status: 402, message: 'The account owes money; top up to go on' },
  user_budget_exceeded: { status: 402, message: 'The budget of the account for this day or month is used up' },
  key_budget_exceeded: { status: 402, message: 'The budget of this API key for this day or month is used up' },
  key_quota_exceeded: { status: 402, message: 'API key quota exceeded' },
  upstream_failed: { status: 502, message: 'Upstream request failed' },
  upstream_invalid: { status: 502, message: 'The upstream gave an answer that cannot be used' },
  upstream_unavailable: { status: 503, message: 'The upstream cannot take the request right now; try again in a moment' },
  upstream_timeout: { status: 504, message: 'The upstream did not answer in time' },
  upstream_blocked: { status: 502, message: 'Upstream URL blocked by SSRF protection' },
  upstream_refused: { status: 400, message: 'The upstream refused the request' },
  media_unavailable: { status: 400, message: 'A file of the request could not be fetched' },
  content_blocked: { status: 403, message: 'Request blocked by content policy' },
  answer_blocked: { status: 403, message: 'Response blocked by content policy' },
  search_too_broad: { status: 400, message: 'Too many calls to look through: ask for a shorter time or fewer filters' },
  unsupported_endpoint: { status: 400, message: 'No channel of this model serves this endpoint' },
} as const satisfies Record<string, { status: number; message: string }>

export type ErrorCode = keyof typeof errors

/** What every failing `/api` and `/auth` answer carries: the text clients show, and what ours adds. */
export interface ErrorBody {
  error: string
  code: ErrorCode
  request_id?: string
}

/**
 * An error with a code of the table. `message` replaces the public text where the contract has a more exact one;
 * `cause` is for the log only and never leaves the process.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  /** The request member that is at fault, where one can be named. */
  readonly param: string | undefined
  /** More for whoever corrects the request, beside `error` in the answer: positions in a program. */
  readonly details: JsonObject | undefined

  constructor(
    code: ErrorCode,
    options: { message?: string; cause?: unknown; retryAfterSeconds?: number; param?: string; details?: JsonObject } = {},
  ) {
    super(options.message ?? errors[code].message, { cause: options.cause })
    this.code = code
    this.status = errors[code].status
    this.retryAfterSeconds = options.retryAfterSeconds
    this.param = options.param
    this.details = options.details
  }
}
