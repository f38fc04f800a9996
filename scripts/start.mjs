// The thorough road of `npm start` (scripts/start.sh is the fast one): install, build, serve.
import { runBun } from './bun.mjs'
import { ensureConsole } from './console.mjs'
import { ensureInstalled } from './npm.mjs'
import { inRoot } from './paths.mjs'

const args = process.argv.slice(2)

try {
  ensureInstalled({ dev: false })
  if (!args.includes('--help')) ensureConsole()
  runBun([inRoot('server', 'main.ts'), ...args])
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
