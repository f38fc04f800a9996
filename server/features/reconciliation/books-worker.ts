import { parentPort, workerData } from 'node:worker_threads'
import type { DatabaseOptions } from '../../db/open.ts'
import { checkBooks } from '../books/service.ts'

/** A broken connection ends the audit, which fails as a whole. */
const onError = (): void => undefined
const { path, url } = workerData as Pick<DatabaseOptions, 'path' | 'url'>

parentPort?.postMessage(await checkBooks({ path, url, onError }))
