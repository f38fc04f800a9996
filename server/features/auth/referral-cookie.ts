/** The code of the link a visitor came by (contract.md 3.3). */
export const REFERRAL_COOKIE = 'flai_referral_code'

/** Takes it away once somebody has registered with it. */
export const clearedReferralCookie = `${REFERRAL_COOKIE}=; Path=/auth; Max-Age=0; HttpOnly; SameSite=Lax`
