import type { Access } from '../../contract/endpoint.ts'

export const roles = ['user', 'support', 'finance', 'admin', 'owner'] as const
export type Role = (typeof roles)[number]

/** The person behind a session, read anew for each request. */
export interface Caller {
  readonly userId: number
  readonly role: Role
  readonly sessionId: string
  /** When the session last proved who sits before it; epoch milliseconds. */
  readonly verifiedAt: number
}

/** Reads a role column; an unknown word is the least one. */
export function roleOf(text: string): Role {
  return roles.find((role) => role === text) ?? 'user'
}

/** `is_admin` of the contract: who may enter the admin area. */
export function isAdmin(role: Role): boolean {
  return role !== 'user'
}

/** True when the role reaches the access an endpoint asks for; each role may all that those before it may. */
export function mayCall(role: Role, access: Access): boolean {
  return access === 'public' || roles.indexOf(role) >= roles.indexOf(access)
}
