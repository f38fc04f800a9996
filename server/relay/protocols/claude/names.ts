/** What Claude takes as the id of a tool use and, up to 128 characters, as the name of a tool. */
const ALLOWED = /^[a-zA-Z0-9_-]+$/
const PREFIX = 'tg_'
const ESCAPE = /_x([0-9a-f]{1,4})_/g

/**
 * An id or tool name of another protocol in letters Claude takes, e.g. `functions.get:0` -> `tg_functions_x2e_get_x3a_0`.
 * `fromWireName` turns it back without a table, so a later request or another process can. A name Claude takes stays as it is,
 * unless it looks like one of ours.
 */
export function toWireName(name: string): string {
  return needsEscape(name) ? escape(name) : name
}

/** Undoes `toWireName`; a name it did not write stays as it is. */
export function fromWireName(name: string): string {
  if (!looksEscaped(name)) return name
  const plain = name.slice(PREFIX.length).replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return needsEscape(plain) && escape(plain) === name ? plain : name
}

function needsEscape(name: string): boolean {
  return !ALLOWED.test(name) || looksEscaped(name)
}

function looksEscaped(name: string): boolean {
  return name.startsWith(PREFIX) && name.search(ESCAPE) >= 0
}

function escape(name: string): string {
  return PREFIX + name.replace(/_x|[^a-zA-Z0-9_-]/g, (found) => (found === '_x' ? '_x5f_x' : `_x${found.charCodeAt(0).toString(16)}_`))
}
