import type { DatabaseOptions } from '../../server/db/open.ts'

const OPEN = new URL('../../server/db/open.ts', import.meta.url).pathname

/** A process that opens the database, as a server does first of all, and ends. */
export function opener(database: DatabaseOptions): Bun.Subprocess<'ignore', 'ignore', 'pipe'> {
  const options = JSON.stringify({ path: database.path, url: database.url })
  const program = `const { openDatabase } = await import('${OPEN}'); const db = await openDatabase({ ...${options}, onError() {} }); await db.close()`
  return Bun.spawn([process.execPath, '-e', program], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
}

/** Kills so many of them, from before the first statement to past the last one, then lets one end. @returns how many were killed at work */
export async function killOpeners(database: DatabaseOptions, kills: number, spreadMs: number): Promise<number> {
  let killed = 0
  for (let round = 0; round < kills; round += 1) {
    const process = opener(database)
    await Promise.race([process.exited, Bun.sleep(60 + (round * spreadMs) / kills)])
    if (process.exitCode === null) killed += 1
    process.kill('SIGKILL')
    await process.exited
  }
  const last = opener(database)
  const code = await last.exited
  if (code !== 0) throw new Error(`the upgrade failed: ${await new Response(last.stderr).text()}`)
  return killed
}
