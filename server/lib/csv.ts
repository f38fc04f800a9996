/** A plain number may begin with a minus sign: no program takes it for a formula. */
const NUMBER = /^-?\d+(\.\d+)?$/
/** What spreadsheets take for the beginning of a formula (OWASP, CSV injection); also behind blanks. */
const FORMULA = /^\s*[=+\-@\t\r\n|%]/

/** One line of RFC 4180. A text that a spreadsheet would run is told to be text by an apostrophe. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function cellOf(cell: string | number | null): string {
  if (cell === null) return ''
  const text = String(cell)
  const safe = NUMBER.test(text) || !FORMULA.test(text) ? text : `'${text}`
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Tells spreadsheets that the file is UTF-8. */
const BYTE_ORDER_MARK = '\ufeff'

/**
 * A CSV download. Each page is asked for when the client has taken the one before, so that memory stays steady whatever the
 * length, and a client that leaves ends it.
 */
export function csvResponse(fileName: string, header: readonly string[], pages: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(BYTE_ORDER_MARK + csvLine(header)))
    },
    async pull(controller) {
      const next = await pages.next()
      if (next.done === true) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
    async cancel() {
      await pages.return(undefined)
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName.replace(/[^\w.-]/g, '_')}"`,
      'cache-control': 'no-store',
    },
  })
}
