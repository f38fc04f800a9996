#!/bin/sh
# The fast road of `npm start`: when nothing is missing or stale, Bun takes this process's place at once (a Node in
# between would cost 70-110 ms and a process). Anything else is for scripts/start.mjs, which also runs alone.
cd "${0%/*}/.." || exit 1
bun=node_modules/.cache/tollgate/bun
if [ -x "$bun" ] && [ -e dist/console/index.html ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] &&
  [ -e dist/server/main.js ] && [ -z "$(find web contract package-lock.json -newer dist/console/index.html -print -quit)" ] &&
  [ -z "$(find server contract package-lock.json -newer dist/server/main.js -print -quit)" ] && "$bun" --version >/dev/null 2>&1; then
  # Bun sends at most 256 fetches at once unless this is set before it starts.
  export BUN_CONFIG_MAX_HTTP_REQUESTS="${BUN_CONFIG_MAX_HTTP_REQUESTS:-65535}"
  # See docs/decisions/0005.
  export BUN_JSC_forceRAMSize="${BUN_JSC_forceRAMSize:-201326592}"
  exec "$bun" dist/server/main.js "$@"
fi
exec node scripts/start.mjs "$@"
