import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, whatever the working directory is. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @param {...string} parts path inside the repository */
export const inRoot = (...parts) => join(root, ...parts)
