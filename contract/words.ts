/**
 * A table that is asked with words which strangers choose: it has its own words and no others, where an object of its own would also
 * answer to `constructor` and `__proto__`, with what is no value of the table.
 */
export function words<T>(table: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, T>, table))
}
