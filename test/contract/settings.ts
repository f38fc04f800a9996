/**
 * contract.md 5.1, one setting a line: key, kind (b boolean, s text), who sees it (P everybody, A administrators only), default,
 * another value that it takes, a value that is refused (`-`: the contract has it take any text). `a`: the contract shows it to
 * everybody, Tollgate to administrators only (W14). Blanks are written `_`, an empty text `""`.
 */
const LINES = `
site_name s P Test_site Other -
base_url s P "" https://shop.example.test shop.example.test
icon_url s P "" https://shop.example.test/i.svg javascript:alert(1)
footer_text s P "" Text -
about_html s P "" <p>Us</p> -
home_iframe_url s P "" https://shop.example.test javascript:alert(1)
privacy_policy s P "" Text -
terms s P "" Text -
announcement s P "" Text -
top_nav_enabled b P false true maybe
top_nav_items s P "" Docs|https://docs.example.test -
sidebar_dashboard_enabled b P true false maybe
sidebar_usage_enabled b P true false maybe
sidebar_wallet_enabled b P true false maybe
sidebar_data_board_enabled b P true false maybe
sidebar_api_keys_enabled b P true false maybe
sidebar_chat_enabled b P true false maybe
sidebar_images_enabled b P true false maybe
sidebar_settings_enabled b P true false maybe
sidebar_system_enabled b P true false maybe
sidebar_admin_overview_enabled b P true false maybe
sidebar_channels_enabled b P true false maybe
sidebar_models_enabled b P true false maybe
sidebar_users_enabled b P true false maybe
referral_enabled b P false true maybe
referral_commission_rate s P 0 0.1 -1
group_multiplier_mode s P min max middle
pricing_endpoint_enabled b P false true maybe
status_monitor_enabled b P false true maybe
checkin_enabled b P false true maybe
checkin_daily_reward s P 0 0.5 x
checkin_timezone s P Asia/Shanghai Europe/Berlin Mars/Olympus
checkin_streak_enabled b P false true maybe
checkin_streak_cycle_days s P 7 0 a_week
checkin_streak_rewards s P {} {"3":"1","7":"3"} {"3":1}
checkin_random_enabled b P false true maybe
checkin_random_min s P 0 0.01 -1
checkin_random_max s P 0 2 x
payment_enabled b P false true maybe
payment_currency_display_name s P $ ¥ -
payment_usd_to_rmb_rate s P 7.20 7.1 0
payment_min_recharge_amount s P 1 5 0
payment_recharge_presets s P ["5","10","20","50","100"] ["1"] [1]
payment_methods s P ["alipay","wxpay"] ["card"] card
payment_gateway_provider s P yipay openpayment paypal
payment_yipay_gateway_url s A "" https://pay.example.test/submit.php pay
payment_yipay_pid s A "" 1001 -
payment_yipay_key secret A "" a-secret-of-this-site -
payment_yipay_notify_url s A "" https://shop.example.test/n n
payment_yipay_return_url s A "" https://shop.example.test/r r
payment_openpayment_base_url s A "" https://pay.example.test pay
payment_openpayment_config_url s A "" https://pay.example.test/c c
payment_openpayment_merchant_id s A "" m-1 -
payment_openpayment_key secret A "" another-secret-text -
rate_limit_enabled b a true false maybe
rate_limit_requests_per_minute s a 60 120 many
rate_limit_burst s a 10 0 -1
sensitive_filter_enabled b a false true maybe
sensitive_words s A "" one,two -
sensitive_filter_scope s a request request_response answer
ssrf_protection_enabled b a true false maybe
ssrf_allow_private_networks b a false true maybe
ssrf_allowed_hosts s A "" *.example.com -
oidc_enabled b P false true maybe
passkey_enabled b P false true maybe
password_login_enabled b P true false maybe
password_registration_enabled b P true false maybe
password_hcaptcha_enabled b P false true maybe
hcaptcha_site_key s P "" site-key -
hcaptcha_secret secret A "" 0x0000captcha-secret -
email_verification_required b P false true maybe
smtp_host s A "" mail.example.test -
smtp_port s A 587 465 0
smtp_username s A "" mailer -
smtp_password secret A "" a-mail-password -
smtp_from s A "" shop@example.test nobody
oidc_issuer s A "" https://id.example.test id
oidc_client_id s A "" client -
oidc_client_secret secret A "" an-oidc-secret-text -
oidc_redirect_url s A "" https://shop.example.test/auth/callback x
`

export interface ContractSetting {
  key: string
  kind: 'bool' | 'text' | 'secret'
  seenBy: 'everybody' | 'administrators'
  fallback: string | boolean
  other: string | boolean
  /** undefined: any text is taken. */
  refused: string | undefined
}

const value = (word: string): string => (word === '""' ? '' : word.replaceAll('_', ' '))
const typed = (kind: string, word: string): string | boolean => (kind === 'b' ? word === 'true' : value(word))

export const contractSettings: readonly ContractSetting[] = LINES.trim()
  .split('\n')
  .map((line) => {
    const [key = '', kind = '', scope, fallback = '', other = '', refused = '-'] = line.split(' ')
    return {
      key,
      kind: kind === 'b' ? 'bool' : kind === 'secret' ? 'secret' : 'text',
      seenBy: scope === 'P' ? 'everybody' : 'administrators',
      fallback: typed(kind, fallback),
      other: kind === 's' && /request_response|\|/.test(other) ? other : typed(kind, other),
      refused: refused === '-' ? undefined : value(refused),
    }
  })
