export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Values a log line may carry. Bodies, prompts and secrets have no place here: pass ids, codes, counts and times. */
export type LogFields = Record<string, string | number | boolean | null | undefined>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Longest text of one field: a cause may embed what an upstream said; its beginning is enough. */
const MAX_FIELD_CHARS = 300
/** Things that look like credentials, wherever they come from. */
const CREDENTIAL = /\b(?:sk-[A-Za-z0-9_-]{8,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|AIza[A-Za-z0-9_-]{20,}|Bearer\s+\S+)/g

/** Takes credentials, and what PostgreSQL cannot store, out of a text and cuts it. */
export function redact(text: string): string {
  return text.replace(CREDENTIAL, '[redacted]').replaceAll('\0', '').slice(0, MAX_FIELD_CHARS)
}

/** What is known of an error, in one short text without credentials. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error))
  const cause = error.cause === undefined ? '' : `; ${describeError(error.cause)}`
  return redact(`${error.name}: ${error.message}${cause}`)
}

/** One JSON object a line on standard error. */
export function createLog(level: LogLevel, now: () => number): Log {
  const least = logLevels.indexOf(level)
  const write = (name: LogLevel, message: string, fields: LogFields = {}): void => {
    if (logLevels.indexOf(name) < least) return
    const line: LogFields = { time: new Date(now()).toISOString(), level: name, message }
    for (const [key, value] of Object.entries(fields)) line[key] = typeof value === 'string' ? redact(value) : value
    process.stderr.write(`${JSON.stringify(line)}\n`)
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  }
}
