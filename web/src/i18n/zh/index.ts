import type { Catalogue } from '../en/index.ts'
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

/** 简体中文. */
export const zh: Catalogue = { ...common, ...errors, ...auth, ...home, ...start, ...dashboard, ...logs, ...keys, ...reference, ...security }
