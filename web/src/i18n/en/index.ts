import type { Message } from '../message.ts'
import { auth } from './auth.ts'
import { common } from './common.ts'
import { dashboard } from './dashboard.ts'
import { errors } from './errors.ts'
import { home } from './home.ts'
import { keys } from './keys.ts'
import { logs } from './logs.ts'
import { reference } from './reference.ts'
import { security } from './security.ts'
import { start } from './start.ts'

/** English, and the list of keys every other language must have. */
export const en = {
  ...common,
  ...errors,
  ...auth,
  ...home,
  ...start,
  ...dashboard,
  ...logs,
  ...keys,
  ...reference,
  ...security,
} satisfies Record<string, Message>

export type Key = keyof typeof en
/** A language: every key, nothing else. A missing one does not compile. */
export type Catalogue = { readonly [K in Key]: Message }
