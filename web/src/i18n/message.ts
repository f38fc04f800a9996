/** A text, or its plural forms chosen by `count` through Intl.PluralRules. `{name}` stands for a value, `<b>...</b>` for a part. */
export type Message = string | { readonly one?: string; readonly other: string }

/** What may stand in a placeholder. */
export type Value = string | number

/**
 * Picks the plural form and fills the placeholders. Counts are grouped for the language; an unknown placeholder stays visible.
 * @example format({ one: '{count} key', other: '{count} keys' }, { count: 2 }, 'en') // "2 keys"
 */
export function format(message: Message, values: Readonly<Record<string, Value>>, language: string): string {
  const text = typeof message === 'string' ? message : pluralForm(message, Number(values.count ?? 0), language)
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value
  })
}

function pluralForm(forms: { readonly one?: string; readonly other: string }, count: number, language: string): string {
  const category = new Intl.PluralRules(language).select(count)
  return category === 'one' && forms.one !== undefined ? forms.one : forms.other
}

/** A text in pieces: plain, or the inside of a `<tag>`. */
export interface Piece {
  readonly tag: string | undefined
  readonly text: string
}

/** Splits "Read <link>this</link> first" for a caller that draws the parts; tags do not nest. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let from = 0
  for (const match of text.matchAll(/<(\w+)>(.*?)<\/\1>/g)) {
    if (match.index > from) found.push({ tag: undefined, text: text.slice(from, match.index) })
    found.push({ tag: match[1], text: match[2] ?? '' })
    from = match.index + match[0].length
  }
  if (from < text.length) found.push({ tag: undefined, text: text.slice(from) })
  return found
}

/** Names of the placeholders of a message, sorted; both languages must have the same. */
export function placeholders(message: Message): string[] {
  const texts = typeof message === 'string' ? [message] : [message.other]
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')))].sort()
}
