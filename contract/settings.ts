import { parseMoney } from './money.ts'

/**
 * One table of every setting: key -> kind, default, section, who sees it (contract.md section 5, additions.md).
 * Stored as text. On the wire booleans are JSON booleans, everything else is a string, also numbers and lists.
 */
export type Section = 'general' | 'sign_in' | 'billing' | 'payments' | 'checkin' | 'security' | 'content' | 'status' | 'reliability'

/** Returns why the text is refused, or undefined when it is fine; the text is trimmed before. */
type Check = (text: string) => string | undefined

interface Definition {
  readonly kind: 'bool' | 'text'
  readonly fallback: string
  readonly section: Section
  /** Part of `GET /api/public/settings`. The client of the contract reads protection switches from `/api/settings`, so these are not (W14). */
  readonly public: boolean
  /** Never echoed: masked on read, the mask or "" on write keeps it, `null` clears it. */
  readonly secret: boolean
  readonly check: Check | undefined
}

/** Longest text of a setting: an about page is HTML of some size, and the whole settings object is sent back by the client. */
const MAX_TEXT = 200_000

const integer =
  (min: number, max: number): Check =>
  (text) =>
    /^-?\d{1,12}$/.test(text) && Number(text) >= min && Number(text) <= max ? undefined : `must be a whole number from ${min} to ${max}`

const decimal =
  (options: { min?: string; below?: string; above?: string } = {}): Check =>
  (text) => {
    const amount = parseMoney(text)
    if (amount === undefined) return 'must be a plain decimal with at most 10 decimal places'
    const min = parseMoney(options.min ?? '0')
    if (min !== undefined && amount < min) return `must be at least ${options.min ?? '0'}`
    const above = options.above === undefined ? undefined : parseMoney(options.above)
    if (above !== undefined && amount <= above) return `must be more than ${options.above}`
    const below = options.below === undefined ? undefined : parseMoney(options.below)
    if (below !== undefined && amount >= below) return `must be below ${options.below}`
    return undefined
  }

const oneOf =
  (...values: string[]): Check =>
  (text) =>
    values.includes(text) ? undefined : `must be one of ${values.join(', ')}`

const url: Check = (text) => {
  if (!URL.canParse(text)) return 'must be an absolute http(s) URL'
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? undefined : 'must be an absolute http(s) URL'
}

const zone: Check = (text) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return undefined
  } catch {
    return 'must be an IANA time zone such as Asia/Shanghai'
  }
}

const stringList: Check = (text) => {
  const list = parseJson(text)
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? undefined : 'must be a JSON list of strings'
}

const amountList: Check = (text) => {
  const list = parseJson(text)
  return Array.isArray(list) && list.every((item) => typeof item === 'string' && (parseMoney(item) ?? -1n) > 0n)
    ? undefined
    : 'must be a JSON list of positive amounts written as strings'
}

/** Currencies of Stripe without decimals or with three (docs.stripe.com/currencies). */
const otherDecimals = 'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf bhd jod kwd omr tnd huf twd isk'.split(' ')
const twoDecimalCurrency: Check = (text) =>
  /^[a-z]{3}$/.test(text) && !otherDecimals.includes(text) ? undefined : 'must be a currency with two decimals in lower case, such as usd'

const rewards: Check = (text) => {
  const map = parseJson(text)
  const fine =
    typeof map === 'object' &&
    map !== null &&
    !Array.isArray(map) &&
    Object.entries(map).every(
      ([day, amount]) => /^[1-9]\d{0,3}$/.test(day) && typeof amount === 'string' && (parseMoney(amount) ?? -1n) >= 0n,
    )
  return fine ? undefined : 'must be a JSON object from day number to amount string, e.g. {"3":"1"}'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Bool = Definition & { readonly kind: 'bool' }
type Text = Definition & { readonly kind: 'text' }

const bool = (section: Section, fallback: boolean, options: { public?: boolean } = {}): Bool => ({
  kind: 'bool',
  fallback: String(fallback),
  section,
  public: options.public ?? true,
  secret: false,
  check: undefined,
})
const text = (section: Section, fallback: string, check?: Check): Text => ({
  kind: 'text',
  fallback,
  section,
  public: true,
  secret: false,
  check,
})
const hidden = (section: Section, fallback: string, check?: Check): Text => ({
  kind: 'text',
  fallback,
  section,
  public: false,
  secret: false,
  check,
})
const secret = (section: Section): Text => ({ kind: 'text', fallback: '', section, public: false, secret: true, check: undefined })

export const settings = {
  site_name: text('general', 'Tollgate', (value) => (value.length > 80 ? 'Site name is too long' : undefined)),
  base_url: text('general', '', url),
  icon_url: text('general', '', url),
  footer_text: text('general', ''),
  about_html: text('content', ''),
  home_iframe_url: text('content', '', url),
  privacy_policy: text('content', ''),
  terms: text('content', ''),
  announcement: text('content', ''),
  top_nav_enabled: bool('content', false),
  top_nav_items: text('content', ''),
  sidebar_dashboard_enabled: bool('content', true),
  sidebar_usage_enabled: bool('content', true),
  sidebar_wallet_enabled: bool('content', true),
  sidebar_data_board_enabled: bool('content', true),
  sidebar_api_keys_enabled: bool('content', true),
  sidebar_chat_enabled: bool('content', true),
  sidebar_images_enabled: bool('content', true),
  sidebar_settings_enabled: bool('content', true),
  sidebar_system_enabled: bool('content', true),
  sidebar_admin_overview_enabled: bool('content', true),
  sidebar_channels_enabled: bool('content', true),
  sidebar_models_enabled: bool('content', true),
  sidebar_users_enabled: bool('content', true),
  referral_enabled: bool('billing', false),
  referral_commission_rate: text('billing', '0', decimal({ below: '1' })),
  /** Days between the usage and the commission for it: time to see a chargeback. */
  referral_hold_days: text('billing', '7', integer(0, 365)),
  /** The most that one invited user ever earns his inviter. */
  referral_commission_cap: text('billing', '100', decimal()),
  group_multiplier_mode: text('billing', 'min', oneOf('min', 'max', 'high', 'higher')),
  pricing_endpoint_enabled: bool('general', false),
  status_monitor_enabled: bool('status', false),
  checkin_enabled: bool('checkin', false),
  checkin_daily_reward: text('checkin', '0', decimal()),
  checkin_timezone: text('checkin', 'Asia/Shanghai', zone),
  checkin_streak_enabled: bool('checkin', false),
  checkin_streak_cycle_days: text('checkin', '7', integer(-1, 3660)),
  checkin_streak_rewards: text('checkin', '{}', rewards),
  checkin_random_enabled: bool('checkin', false),
  checkin_random_min: text('checkin', '0', decimal()),
  checkin_random_max: text('checkin', '0', decimal()),
  /** Only a verified e-mail address collects (W84); off, because a site without mail could verify nobody. */
  checkin_verified_email_only: bool('checkin', false),
  /** Accounts that may collect from one public network (an IPv4 address, an IPv6 /64) a day; 0: any number (W84). */
  checkin_accounts_per_network: hidden('checkin', '10', integer(0, 1_000_000)),
  payment_enabled: bool('payments', false),
  payment_currency_display_name: text('payments', '$'),
  payment_usd_to_rmb_rate: text('payments', '7.20', decimal({ above: '0' })),
  payment_min_recharge_amount: text('payments', '1', decimal({ above: '0' })),
  payment_recharge_presets: text('payments', '["5","10","20","50","100"]', amountList),
  payment_methods: text('payments', '["alipay","wxpay"]', stringList),
  payment_gateway_provider: text(
    'payments',
    'yipay',
    oneOf('yipay', 'epay', 'openpayment', 'open-payment', 'open_payment', 'ops', 'stripe'),
  ),
  payment_yipay_gateway_url: hidden('payments', '', url),
  payment_yipay_pid: hidden('payments', ''),
  payment_yipay_key: secret('payments'),
  payment_yipay_notify_url: hidden('payments', '', url),
  payment_yipay_return_url: hidden('payments', '', url),
  payment_openpayment_base_url: hidden('payments', '', url),
  payment_openpayment_config_url: hidden('payments', '', url),
  payment_openpayment_merchant_id: hidden('payments', ''),
  payment_openpayment_key: secret('payments'),
  payment_stripe_secret_key: secret('payments'),
  payment_stripe_webhook_secret: secret('payments'),
  /** What Stripe is paid in; only currencies with two decimals, because orders are in hundredths. */
  payment_stripe_currency: hidden('payments', 'usd', twoDecimalCurrency),
  /** Of that currency for one unit of ours. */
  payment_stripe_rate: hidden('payments', '1', decimal({ above: '0' })),
  /** Where Stripe's API is; another address only for a relay of one's own. */
  payment_stripe_api_url: hidden('payments', 'https://api.stripe.com', url),
  rate_limit_enabled: bool('security', true, { public: false }),
  rate_limit_requests_per_minute: hidden('security', '60', integer(0, 1_000_000)),
  rate_limit_burst: hidden('security', '10', integer(0, 1_000_000)),
  /** Of all customers together, beside what each of them has; 0: none. In force also where `rate_limit_enabled` is off. */
  rate_limit_site_requests_per_minute: hidden('security', '0', integer(0, 100_000_000)),
  rate_limit_site_tokens_per_minute: hidden('security', '0', integer(0, 2_000_000_000)),
  rate_limit_site_concurrency: hidden('security', '0', integer(0, 1_000_000)),
  sensitive_filter_enabled: bool('security', false, { public: false }),
  sensitive_words: hidden('security', ''),
  sensitive_filter_scope: hidden('security', 'request', oneOf('request', 'request_response')),
  ssrf_protection_enabled: bool('security', true, { public: false }),
  ssrf_allow_private_networks: bool('security', false, { public: false }),
  ssrf_allowed_hosts: hidden('security', ''),
  /** How long a sign-in, or a confirmation, counts as fresh. */
  step_up_minutes: hidden('security', '10', integer(1, 1_440)),
  /** Who must confirm anew before money and admin actions: accounts with an authenticator app, those with a passkey too, or others. */
  step_up_accounts: hidden('security', 'totp', oneOf('nobody', 'totp', 'second_factor', 'everyone')),
  oidc_enabled: bool('sign_in', false),
  passkey_enabled: bool('sign_in', false),
  password_login_enabled: bool('sign_in', true),
  password_registration_enabled: bool('sign_in', true),
  password_hcaptcha_enabled: bool('sign_in', false),
  hcaptcha_site_key: text('sign_in', ''),
  hcaptcha_secret: secret('sign_in'),
  /** For mirrors, and for services that answer in the same form. */
  hcaptcha_verify_url: hidden('sign_in', 'https://hcaptcha.com/siteverify', url),
  email_verification_required: bool('sign_in', false),
  /** Allowed mail domains of new accounts, separated by commas or lines; empty: all. `example.com` also means its subdomains. */
  registration_email_suffixes: hidden('sign_in', ''),
  smtp_host: hidden('sign_in', ''),
  smtp_port: hidden('sign_in', '587', integer(1, 65_535)),
  smtp_username: hidden('sign_in', ''),
  smtp_password: secret('sign_in'),
  smtp_from: hidden('sign_in', '', (value) =>
    /^[^\r\n<>]*<?[^\s@<>]+@[^\s@<>]+>?$/.test(value) ? undefined : 'must be an address such as a@b.example or Name <a@b.example>',
  ),
  /** `auto`: TLS from the start on port 465, STARTTLS on any other. */
  smtp_security: hidden('sign_in', 'auto', oneOf('auto', 'tls', 'starttls')),
  oidc_issuer: hidden('sign_in', '', url),
  oidc_client_id: hidden('sign_in', ''),
  oidc_client_secret: secret('sign_in'),
  oidc_redirect_url: hidden('sign_in', '', url),
  /** A price that a list makes more than this many times dearer or cheaper needs a confirmation by name. */
  price_sync_max_jump: hidden('billing', '2', decimal({ min: '1' })),
  /** Calls older than so many days leave the log; 0: none does. Balances, usage by quarter and day, and statements stay exact. */
  log_retention_days: hidden('status', '0', integer(0, 36_500)),
  /** The oldest calls leave the log when it has more; a call takes about a kilobyte. 0: any number. */
  log_retention_max_rows: hidden('status', '0', integer(0, 999_999_999_999)),
  /** Whether the gateway records what is asked and answered: of no call, of those that did not end well, or of all. Customers see it. */
  payload_log_mode: text('status', 'off', oneOf('off', 'errors', 'all')),
  /** Records older than so many days are deleted; those of calls that have left the log sooner. */
  payload_retention_days: text('status', '7', integer(1, 365)),
  reliability_first_byte_timeout_seconds: hidden('reliability', '60', integer(1, 3_600)),
  reliability_stream_idle_timeout_seconds: hidden('reliability', '300', integer(1, 86_400)),
  reliability_disable_after_failures: hidden('reliability', '5', integer(1, 1_000)),
  /** Calls of a process that run at once; more are answered 503 at once. 2,000 streams take some 200 MB. 0: any number. */
  reliability_max_calls: hidden('reliability', '10000', integer(0, 1_000_000)),
  /** New calls are answered 503 while the oldest booking waits longer than this for the database. */
  reliability_max_queue_seconds: hidden('reliability', '5', integer(1, 600)),
  reliability_cooldown_seconds: hidden('reliability', '30', integer(1, 86_400)),
} as const satisfies Record<string, Definition>

export type SettingKey = keyof typeof settings
export type BoolKey = { [K in SettingKey]: (typeof settings)[K]['kind'] extends 'bool' ? K : never }[SettingKey]
export type TextKey = Exclude<SettingKey, BoolKey>

export const settingKeys = Object.keys(settings) as SettingKey[]

/** True for a key of the table. */
export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(settings, key)
}

/** Reads a stored boolean (contract.md section 5); anything else is undefined. */
export function parseBool(stored: string): boolean | undefined {
  const word = stored.trim().toLowerCase()
  if (['1', 'true', 'yes', 'on', 'enabled'].includes(word)) return true
  if (['0', 'false', 'no', 'off', 'disabled'].includes(word)) return false
  return undefined
}

/**
 * Checks a text before it is stored. An empty text clears the setting to its default and is always fine, except for
 * the site's name.
 * @returns why it is refused, or undefined
 */
export function checkSetting(key: SettingKey, value: string): string | undefined {
  if (value.length > MAX_TEXT) return `must be at most ${MAX_TEXT} characters`
  if (value === '') return key === 'site_name' ? 'Site name is required' : undefined
  const { kind, check }: Definition = settings[key]
  if (kind === 'bool') return parseBool(value) === undefined ? 'must be true or false' : undefined
  return check?.(value)
}
