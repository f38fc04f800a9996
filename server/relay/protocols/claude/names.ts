/** What Claude takes as the id of a tool use and, up to 128 characters, as the name of a tool. */
const ALLOWED = /^[a-zA-Z0-9_-]+$/
const PREFIX = 'tg_'

/**
 * An id or tool name of another protocol in letters Claude takes, e.g. `functions.get:0` -> `tg_functions_x2e_get_x3a_0`.
 * `fromWireName` turns it back without a table, so a later request or another process can.
 */
export function toWireName(name: string): string {
  if (ALLOWED.test(name) && !name.startsWith(PREFIX)) return name
  return PREFIX + name.replace(/_x|[^a-zA-Z0-9_-]/g, (found) => (found === '_x' ? '_x5f_x' : `_x${found.charCodeAt(0).toString(16)}_`))
}

/** Undoes `toWireName`; a name that only looks like one of ours stays as it is. */
export function fromWireName(name: string): string {
  if (!name.startsWith(PREFIX)) return name
  const plain = name.slice(PREFIX.length).replace(/_x([0-9a-f]{1,4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return toWireName(plain) === name ? plain : name
}
