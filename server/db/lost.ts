function codeAndText(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' }
}

/**
 * The engine cannot be reached: it is gone, restarts, or has no connection to give. Codes of PostgreSQL
 * (postgresql.org/docs/current/errcodes-appendix.html) and of the system; pg names what its own sockets saw in words.
 */
export function isUnreachable(error: unknown): boolean {
  const { code, message } = codeAndText(error)
  return (
    /^(57P0[123]|08\d{3}|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT)$/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(message)
  )
}

/** The engine cannot be reached, or its disk or memory is full: the caller may try again (promises.md R5). */
export function isLostDatabase(error: unknown): boolean {
  return isUnreachable(error) || /^(53[12]00|SQLITE_(FULL|IOERR\w*))$/.test(codeAndText(error).code)
}

/** PostgreSQL chose this transaction to end a deadlock, or could not put it in order: the same again succeeds. */
export function isContention(error: unknown): boolean {
  return /^(40001|40P01)$/.test(codeAndText(error).code)
}
