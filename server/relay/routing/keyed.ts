import type { Candidate } from '../../features/catalog/snapshot.ts'

/** Variants live as long as the snapshot's candidate they are made of. */
const variants = new WeakMap<Candidate, Candidate[]>()

/** The candidate with one of its channel's keys in the place of the first: the same object for the same key. */
export function keyed(candidate: Candidate, index: number): Candidate {
  if (index === 0) return candidate
  const key = candidate.channel.keys[index]
  if (key === undefined) return candidate
  let made = variants.get(candidate)
  if (!made) variants.set(candidate, (made = []))
  return (made[index] ??= { ...candidate, channel: { ...candidate.channel, key } })
}
