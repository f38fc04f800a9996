import { createContext, Fragment, use, useCallback, useMemo, useState, type ReactNode } from 'react'
import type { Catalogue, Key } from './en/index.ts'
import { languages, loadCatalogue, rememberLanguage, type Language } from './language.ts'
import { format, pieces, type Value } from './message.ts'

interface I18n {
  readonly language: Language
  readonly catalogue: Catalogue
  setLanguage(language: Language): Promise<void>
}

const Context = createContext<I18n | undefined>(undefined)

/** Holds the language and its texts for everything below. */
export function I18nProvider({
  language: first,
  catalogue: firstCatalogue,
  children,
}: {
  language: Language
  catalogue: Catalogue
  children: ReactNode
}) {
  const [state, setState] = useState({ language: first, catalogue: firstCatalogue })
  const setLanguage = useCallback(async (language: Language) => {
    const catalogue = await loadCatalogue(language)
    rememberLanguage(language)
    setState({ language, catalogue })
  }, [])
  const value = useMemo(() => ({ ...state, setLanguage }), [state, setLanguage])
  return <Context value={value}>{children}</Context>
}

/** The language, its setter, and all languages. */
export function useLanguage() {
  const value = use(Context)
  if (value === undefined) throw new Error('useLanguage outside of I18nProvider')
  return { language: value.language, setLanguage: value.setLanguage, catalogue: value.catalogue, languages }
}

export type Translate = (key: Key, values?: Readonly<Record<string, Value>>) => string

/** `t('key', { name })`; an unknown key does not compile. */
export function useT(): Translate {
  const { language, catalogue } = useLanguage()
  return useCallback((key, values = {}) => format(catalogue[key], values, language), [catalogue, language])
}

/** A text with drawn parts: `<Rich k="..." parts={{ link: (text) => <a ...>{text}</a> }} />`. */
export function Rich({
  k,
  values,
  parts,
}: {
  k: Key
  values?: Readonly<Record<string, Value>>
  parts: Readonly<Record<string, (text: string) => ReactNode>>
}) {
  const t = useT()
  return pieces(t(k, values)).map((piece, index) => {
    const draw = piece.tag === undefined ? undefined : parts[piece.tag]
    // The pieces of one text never move: their place is their identity.
    return <Fragment key={index}>{draw ? draw(piece.text) : piece.text}</Fragment>
  })
}
