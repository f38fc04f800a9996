/** A link that the owner put into the bar on top. */
export interface TopNavItem {
  readonly label: string
  readonly href: string
}

/** A bar has no room for more. */
const MAX_ITEMS = 8

/**
 * One item a line, `Label|href`; addresses of this site begin with `/`, others with http(s) (contract.md 5.1). Lines that say
 * something else are left out: an address such as `javascript:` is none.
 */
export function topNavItems(text: string): TopNavItem[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const at = line.indexOf('|')
      const label = line.slice(0, at).trim()
      const href = line.slice(at + 1).trim()
      return at > 0 && label !== '' && /^(https?:\/\/\S+|\/(?![/\\])\S*)$/i.test(href) ? [{ label, href }] : []
    })
    .slice(0, MAX_ITEMS)
}
