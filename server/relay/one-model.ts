import { isObject, type Json, type JsonObject } from '../../contract/json.ts'
import { WireError } from './protocols/protocol.ts'

/**
 * Refuses a body that names a model by another spelling of `model`: readers that do not tell the two apart (Go's) would take the one
 * for the other, and serve a model that is neither allowed nor paid.
 * @throws WireError naming the member
 */
export function refuseOtherModel(body: JsonObject): void {
  look(body)
  // Gemini's, where each request that stands inside may name it.
  look(body.generateContentRequest)
  if (Array.isArray(body.requests)) for (const each of body.requests) look(each)
}

function look(value: Json | undefined): void {
  if (!isObject(value)) return
  for (const name of Object.keys(value))
    if (name.length === 5 && name !== 'model' && name.toLowerCase() === 'model') throw new WireError(`Unknown parameter: '${name}'`, name)
}
