import { isObject } from '../../../contract/json.ts'
import type { Json } from '../../../contract/json.ts'
import type { Extensions, Loss } from './canonical.ts'

/** What a maker notes of the machine that answered, for itself: no client asks for it, none misses it. */
const REMARKS = new Set(['system_fingerprint', 'x_groq'])
/** What every other maker does without being asked: a call's arguments are streamed as they are written (Claude, fine-grained streaming). */
const DONE_ANYWAY = new Set(['eager_input_streaming'])

/**
 * What the other protocols' extensions ask for and `own` has no name for, one Loss a member. Members that only remember a way of
 * writing (`_...`) and empty values ask for nothing.
 * @param path where the extensions hang in the source's words, with its dot (`messages[0].`); '' for the request itself
 */
export function extensionLosses(ext: Extensions | undefined, own: string, path: string, reason: string): Loss[] {
  const losses: Loss[] = []
  if (!ext) return losses
  for (const [protocol, members] of Object.entries(ext)) {
    if (protocol === own || !members) continue
    for (const [name, value] of Object.entries(members)) {
      if (name.startsWith('_') || REMARKS.has(name) || DONE_ANYWAY.has(name) || asksNothing(value)) continue
      losses.push({ path: path + name, reason })
    }
  }
  return losses
}

function asksNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}
