import type { Catalogue } from './en/index.ts'

export const languages = ['zh-CN', 'en'] as const
export type Language = (typeof languages)[number]

/** Each language in its own words, whichever is shown. */
export const languageNames: Record<Language, string> = { 'zh-CN': '简体中文', en: 'English' }

const STORED = 'tollgate.language'

/** What /boot.js chose before the first paint: the stored choice, else the browser's. */
export function currentLanguage(): Language {
  return document.documentElement.lang === 'zh-CN' ? 'zh-CN' : 'en'
}

/** Remembers an explicit choice; it beats the browser's wish from now on. */
export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORED, language)
  document.documentElement.lang = language
}

/** Only the language in use is loaded. */
export async function loadCatalogue(language: Language): Promise<Catalogue> {
  return language === 'zh-CN' ? (await import('./zh/index.ts')).zh : (await import('./en/index.ts')).en
}
