/** Letters that may be wrong of a name this long. */
const toleranceOf = (length: number): number => Math.max(1, Math.floor(length / 4))
/** Names longer than this are not compared: no real one is. */
const MAX_CHARS = 100

/** The known name that is nearest to a misspelt one, or undefined when none is near. */
export function nearest(wrong: string, known: Iterable<string>): string | undefined {
  if (wrong.length > MAX_CHARS) return undefined
  const asked = wrong.toLowerCase()
  let best: string | undefined
  let least = toleranceOf(wrong.length) + 1
  for (const name of known) {
    if (Math.abs(name.length - wrong.length) >= least) continue
    const distance = distanceOf(asked, name.toLowerCase(), least)
    if (distance < least) {
      best = name
      least = distance
    }
  }
  return best
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment); at most `limit` counts. */
function distanceOf(a: string, b: string, limit: number): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row]
    let least = row
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min((last[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      now.push(cost)
      least = Math.min(least, cost)
    }
    if (least >= limit && row > 1) return limit
    before = last
    last = now
  }
  return last[b.length] ?? limit
}
