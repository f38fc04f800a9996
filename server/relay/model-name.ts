/**
 * A top-level or nested `"model": "..."` as it stands in JSON text. Inside a JSON string its quotes would be escaped, so
 * text of an answer never matches.
 */
const MODEL = /"(model|modelVersion)"(\s*:\s*)"((?:[^"\\]|\\.)*)"/

/**
 * Puts the platform's model name where the upstream wrote its own (additions.md), without parsing the rest: bytes that
 * need no change stay as they are.
 */
export function showModel(text: string, model: string): string {
  const match = MODEL.exec(text)
  if (!match || match[3] === model) return text
  return `${text.slice(0, match.index)}"${match[1]}"${match[2]}${JSON.stringify(model)}${text.slice(match.index + match[0].length)}`
}
