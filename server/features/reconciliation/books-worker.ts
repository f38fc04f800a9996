import { parentPort, workerData } from 'node:worker_threads'
import type { DatabaseOptions } from '../../db/open.ts'
import { describeError } from '../../lib/log.ts'
import { checkBooks, type BooksReport } from '../books/service.ts'

/** What the thread answers, once. */
export type BooksAnswer = { report: BooksReport } | { fault: string }

const { path, url } = workerData as Pick<DatabaseOptions, 'path' | 'url'>
const faults: Error[] = []

void checkBooks({ path, url, onError: (error) => faults.push(error) }).then(
  (report) => parentPort?.postMessage({ report } satisfies BooksAnswer),
  (error: unknown) => parentPort?.postMessage({ fault: describeError(faults[0] ?? error) } satisfies BooksAnswer),
)
