/**
 * Where things lie beside the code. `npm start` runs one bundled file (dist/server/main.js, which starts twice as fast as
 * the sources); tests and `npm run dev` run the sources.
 */
const isBundled = import.meta.url.endsWith('.js')
const server = new URL(isBundled ? './' : '../', import.meta.url)
const root = new URL(isBundled ? '../../' : '../', server)

/** The built console. */
export const consoleDir = new URL('dist/console/', root).pathname

/** The thread that counts tokens. */
export const counterWorkerUrl = new URL(`relay/counter-worker.${isBundled ? 'js' : 'ts'}`, server)

/** The thread that audits the books. */
export const booksWorkerUrl = new URL(`features/reconciliation/books-worker.${isBundled ? 'js' : 'ts'}`, server)
