import { download } from './download.ts'

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

/** A CSV download of these pages, which are asked for as the client takes them. */
export function csvResponse(fileName: string, header: readonly string[], pages: AsyncGenerator<string>): Response {
  return download(fileName, 'text/csv; charset=utf-8', withHeader(header, pages))
}

async function* withHeader(header: readonly string[], pages: AsyncGenerator<string>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(header)
  yield* pages
}

/** A file that is not a table. The message says where. */
export class CsvFault extends Error {
  override readonly name = 'CsvFault'
}

/**
 * Reads RFC 4180 text: rows of cells, without a byte order mark and without blank lines.
 * @throws CsvFault when a quote stays open, a row has another number of cells than the first, or there are too many
 */
export function readCsv(text: string, maxRows: number): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  const source = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y
  while (cell.lastIndex < source.length) {
    const at = cell.lastIndex
    const match = cell.exec(source)
    if (!match) throw new CsvFault(`row ${rows.length + 1}: a quote that is not closed`)
    const [whole, quoted, plain = '', end] = match
    row.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'))
    if (end === ',' && cell.lastIndex < source.length) continue
    if (end === ',') row.push('')
    if (row.length > 1 || row[0] !== '') {
      if (rows[0] && rows[0].length !== row.length)
        throw new CsvFault(`row ${rows.length + 1}: ${row.length} cells instead of ${rows[0].length}`)
      if (rows.length >= maxRows) throw new CsvFault(`more than ${maxRows} rows`)
      rows.push(row)
    }
    row = []
    // Nothing was consumed: the end.
    if (whole === '' && cell.lastIndex === at) break
  }
  return rows
}
