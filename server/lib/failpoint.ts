/** Set by `--define`: true in the crash tests' servers, false in the bundle that users run. Not there at all when run from source. */
declare const TOLLGATE_FAILPOINTS: boolean | undefined

/** Places in a call's life where the crash tests end the process, in their order (promises.md M3). */
export const failpoints = [
  'before_hold',
  'in_hold',
  'after_hold',
  'answer_begun',
  'in_answer',
  'before_settlement',
  'in_settlement',
  'after_settlement',
] as const
export type Failpoint = (typeof failpoints)[number]

let armed: string | null = null

/** From now on the process dies at this place. Nothing without the define: the bundler removes it and what calls it. */
export function armFailpoint(headers: Headers): void {
  if (typeof TOLLGATE_FAILPOINTS === 'undefined' || !TOLLGATE_FAILPOINTS) return
  armed = headers.get('x-tollgate-failpoint') ?? armed
}

/** Dies here, as by `kill -9`, when this place is armed. */
export function failpoint(place: Failpoint): void {
  if (typeof TOLLGATE_FAILPOINTS === 'undefined' || !TOLLGATE_FAILPOINTS) return
  if (armed === place) process.kill(process.pid, 'SIGKILL')
}
