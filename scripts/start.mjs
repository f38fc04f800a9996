// The thorough road of `npm start` (scripts/start.sh is the fast one): install, build, serve.
import { runBun } from './bun.mjs'
import { ensureConsole, ensureServer } from './build.mjs'
import { ensureInstalled } from './npm.mjs'
import { inRoot } from './paths.mjs'

const args = process.argv.slice(2)

try {
  ensureInstalled()
  if (!args.includes('--help')) ensureConsole()
  ensureServer()
  // See docs/decisions/0005; scripts/start.sh says it too.
  process.env.BUN_JSC_forceRAMSize ??= '201326592'
  runBun([inRoot('dist', 'server', 'main.js'), ...args])
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
