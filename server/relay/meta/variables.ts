export type VariableKind = 'number' | 'string' | 'bool'

/**
 * What a program may ask of a request and its caller: one table for the checker, the simulator and the gateway. A number that is not
 * known (`request.temperature` of a request without one) satisfies no comparison but `!=`.
 */
export const variables = {
  'request.input_tokens': 'number',
  'request.max_output_tokens': 'number',
  'request.total_estimated_tokens': 'number',
  'request.message_count': 'number',
  'request.has_image': 'bool',
  'request.has_audio': 'bool',
  'request.has_tools': 'bool',
  'request.tool_count': 'number',
  'request.stream': 'bool',
  'request.temperature': 'number',
  'request.protocol': 'string',
  'request.endpoint': 'string',
  'request.text': 'string',
  'request.last_user_message': 'string',
  'request.system': 'string',
  'user.id': 'number',
  'user.balance': 'number',
  'user.group': 'string',
  'user.groups': 'string',
  'user.is_admin': 'bool',
  'api_key.id': 'number',
  'api_key.name': 'string',
  'api_key.quota_limit': 'number',
  'api_key.quota_remaining': 'number',
  'api_key.unlimited': 'bool',
  'channel.name': 'string',
  'time.hour': 'number',
  'time.minute': 'number',
  'time.minute_of_day': 'number',
  'time.weekday': 'number',
  'judge.output': 'string',
} as const satisfies Record<string, VariableKind>

export type Variable = keyof typeof variables
/** A value of a variable, of the kind the table says. */
export type Fact = string | number | boolean

/** Whether a name is in the table. */
export function isVariable(name: string): name is Variable {
  return Object.hasOwn(variables, name)
}
