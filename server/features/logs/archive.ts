/** What is kept of the calls that left the log: for the checks of the books and of the usage. */
export { archivedByAccount, archivedTotals } from './retention/store.ts'
