/** First match wins: browsers name those they descend from. */
const BROWSERS = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['HeadlessChrome', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Safari', 'Safari'],
  ['curl', 'curl'],
] as const
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['CrOS', 'ChromeOS'],
  ['Windows', 'Windows'],
  ['Mac OS', 'macOS'],
  ['Linux', 'Linux'],
] as const

/** A device in two words, from its user agent; empty where it does not say. For people to know their own, nothing rests on it. */
export function deviceOf(userAgent: string): { browser: string; system: string; mobile: boolean } {
  const named = (list: readonly (readonly [string, string])[]): string => list.find(([mark]) => userAgent.includes(mark))?.[1] ?? ''
  return { browser: named(BROWSERS), system: named(SYSTEMS), mobile: /iPhone|Android.*Mobile/.test(userAgent) }
}
