/** The contract's other client keeps its session here, too (contract.md 1.4). */
const TOKEN = 'token'

/** The session, or undefined when nobody is signed in. */
export function readToken(): string | undefined {
  return localStorage.getItem(TOKEN) ?? undefined
}

/** Starts a session on this browser; other tabs hear of it through `storage`. */
export function storeToken(token: string): void {
  localStorage.setItem(TOKEN, token)
}

/** Forgets the session. */
export function dropToken(): void {
  localStorage.removeItem(TOKEN)
}

/** Calls back when another tab signs in or out. */
export function onTokenChanged(listener: () => void): () => void {
  const heard = (event: StorageEvent) => {
    if (event.key === TOKEN || event.key === null) listener()
  }
  addEventListener('storage', heard)
  return () => removeEventListener('storage', heard)
}
