/** Minutes and seconds of a zone's offset are found in at most this many steps: the second lands on the right side of a jump. */
const STEPS = 3

/** The instant a month begins in a zone. @throws RangeError for a zone this machine does not know */
export function monthStart(zone: string, year: number, month: number): number {
  const wanted = Date.UTC(year, month - 1, 1)
  let instant = wanted
  for (let step = 0; step < STEPS; step += 1) instant = wanted - (localTime(zone, instant) - instant)
  // Where the clock jumps over midnight the day begins at the jump.
  return localTime(zone, instant) < wanted ? instant + (wanted - localTime(zone, instant)) : instant
}

/** What the clocks of a zone show at an instant, as if it were UTC. */
function localTime(zone: string, instant: number): number {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant)
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((each) => each.type === type)?.value ?? 0)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}
