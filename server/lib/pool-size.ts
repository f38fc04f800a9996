/** Connections to PostgreSQL, when nothing is said: enough for the writer, the requests and the jobs of one process. */
export const POOL_SIZE = 10
/** One for the ledger's writer, one for whoever reads, one for whoever reads while a transaction of his is open. */
export const MIN_POOL_SIZE = 3
