/**
 * Resolves when all else that is waiting has had its turn. SQLite answers within the turn that asks: a loop of statements would let
 * nobody in before its end.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
