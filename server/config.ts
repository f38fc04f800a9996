import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseRange, type Range } from './lib/client-ip.ts'
import { randomToken } from './lib/ids.ts'
import { logLevels, type LogLevel } from './lib/log.ts'
import { MIN_POOL_SIZE, POOL_SIZE } from './lib/pool-size.ts'

/** Everything that comes from outside the process, parsed once; nobody else reads the environment. */
export interface AppConfig {
  port: number
  host: string
  /** SQLite file, used when there is no `databaseUrl`; generated secrets lie beside it. */
  dbPath: string
  databaseUrl: string | undefined
  /** Connections of this process to PostgreSQL at most, beside the one that listens. */
  dbPoolSize: number
  redisUrl: string | undefined
  jwtSecret: string
  encryptionKey: string
  appEnv: string
  trustedProxies: Range[]
  logLevel: LogLevel
  oidc: { issuer: string; clientId: string; clientSecret: string; redirectUrl: string }
  bootstrapAdmins: { emails: string[]; oidcSubs: string[] }
}

/** What is wrong with the environment, one line a variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A 256-bit key in base64url has 43; below 32 a secret can be guessed offline from one session token. */
const MIN_SECRET_CHARS = 32
const SECRET_BYTES = 48
/** Words of sample files; a secret that contains one, or repeats a few characters, is known to everybody. */
const KNOWN_SECRET = /change-?_?me|your[-_]?secret|example|password|12345678|abcdefgh|secret-?key|default|tollgate/i
const MIN_DISTINCT_CHARS = 8
const SECRETS_FILE = 'secrets.json'
const FILE_MODE = 0o600
const EXPOSED_BITS = 0o077

const commaList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

const secret = z.string().superRefine((value, context) => {
  const fault = secretFault(value)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

const url = (...schemes: string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    error: `must be a URL beginning with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  })

const environment = z.object({
  PORT: z
    .string()
    .default('8080')
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, { error: 'must be a port number from 0 to 65535' })
    .transform(Number),
  HOST: z.string().default('0.0.0.0'),
  DB_PATH: z.string().default('data/tollgate.db'),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DB_POOL_SIZE: z
    .string()
    .default(String(POOL_SIZE))
    .refine((text) => /^\d{1,4}$/.test(text) && Number(text) >= MIN_POOL_SIZE, {
      error: `must be a number of connections from ${MIN_POOL_SIZE} to 9999`,
    })
    .transform(Number),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  JWT_SECRET: secret.optional(),
  ENCRYPTION_KEY: secret.optional(),
  APP_ENV: z.string().default('production'),
  TRUSTED_PROXIES: commaList.transform((items, context) => {
    const ranges: Range[] = []
    for (const item of items) {
      const range = parseRange(item)
      if (range) ranges.push(range)
      else context.addIssue({ code: 'custom', message: `"${item}" is neither an IP address nor a CIDR range` })
    }
    return ranges
  }),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  OIDC_ISSUER: url('https:', 'http:').optional(),
  OIDC_CLIENT_ID: z.string().default(''),
  OIDC_CLIENT_SECRET: z.string().default(''),
  OIDC_REDIRECT_URL: url('https:', 'http:').optional(),
  BOOTSTRAP_ADMIN_EMAILS: commaList,
  BOOTSTRAP_ADMIN_OIDC_SUBS: commaList,
})

/** What `--help` prints. */
export const helpText = `Tollgate, a self-hosted AI API gateway.

  npm start              start the server
  npm start -- --help    this text

Environment variables:
  PORT                       port to listen on (8080)
  HOST                       address to listen on (0.0.0.0; 127.0.0.1 for this machine only)
  DB_PATH                    SQLite file (data/tollgate.db)
  DATABASE_URL               postgres://... instead of SQLite, for several processes
  DB_POOL_SIZE               connections to PostgreSQL of each process, beside one that listens (${POOL_SIZE})
  REDIS_URL                  redis://... shared by several processes: limits hold over all of them, changes reach each
  JWT_SECRET                 signs sessions, at least ${MIN_SECRET_CHARS} random characters (made and kept in ${SECRETS_FILE} beside DB_PATH)
  ENCRYPTION_KEY             encrypts stored upstream keys and other secrets (made and kept likewise); losing it loses them
  APP_ENV                    a name for this installation (production); safety is the same in every one
  TRUSTED_PROXIES            addresses or CIDR ranges whose X-Forwarded-For is believed, comma separated
  LOG_LEVEL                  ${logLevels.join(' | ')} (info)
  OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_REDIRECT_URL
                             OpenID Connect sign-in, where the settings of the same names are empty
  BOOTSTRAP_ADMIN_EMAILS     verified addresses that become admins when they sign up, comma separated
  BOOTSTRAP_ADMIN_OIDC_SUBS  OpenID Connect subjects that become admins, comma separated
`

/**
 * Reads the configuration; makes and keeps the secrets that are not given.
 * @throws ConfigError with one line for each variable at fault
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): AppConfig {
  // An empty variable, as compose files leave them, is an absent one.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('\n'))
  }
  const { data } = parsed
  const kept = keptSecrets(data.DB_PATH, data.JWT_SECRET === undefined || data.ENCRYPTION_KEY === undefined)
  return {
    port: data.PORT,
    host: data.HOST,
    dbPath: data.DB_PATH,
    databaseUrl: data.DATABASE_URL,
    dbPoolSize: data.DB_POOL_SIZE,
    redisUrl: data.REDIS_URL,
    jwtSecret: data.JWT_SECRET ?? kept.jwt_secret,
    encryptionKey: data.ENCRYPTION_KEY ?? kept.encryption_key,
    appEnv: data.APP_ENV,
    trustedProxies: data.TRUSTED_PROXIES,
    logLevel: data.LOG_LEVEL,
    oidc: {
      issuer: data.OIDC_ISSUER ?? '',
      clientId: data.OIDC_CLIENT_ID,
      clientSecret: data.OIDC_CLIENT_SECRET,
      redirectUrl: data.OIDC_REDIRECT_URL ?? '',
    },
    bootstrapAdmins: { emails: data.BOOTSTRAP_ADMIN_EMAILS.map((email) => email.toLowerCase()), oidcSubs: data.BOOTSTRAP_ADMIN_OIDC_SUBS },
  }
}

/** Why a secret is refused, or undefined (W09: in every mode). */
function secretFault(value: string): string | undefined {
  if (value.length < MIN_SECRET_CHARS) return `must have at least ${MIN_SECRET_CHARS} characters; leave it out to have one made`
  if (KNOWN_SECRET.test(value) || new Set(value).size < MIN_DISTINCT_CHARS)
    return 'is a known or guessable secret; leave it out to have one made'
  return undefined
}

const secretsFile = z.object({ jwt_secret: secret, encryption_key: secret, next_encryption_key: secret.optional() })

/** The secrets kept beside the database; made at the first start, readable by the owner of the process only. */
function keptSecrets(dbPath: string, needed: boolean): z.output<typeof secretsFile> {
  if (!needed) return { jwt_secret: '', encryption_key: '' }
  const file = join(dirname(dbPath), SECRETS_FILE)
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    const fresh = { jwt_secret: randomToken(SECRET_BYTES), encryption_key: randomToken(SECRET_BYTES) }
    try {
      // `wx`: two processes that start together do not overwrite each other's.
      writeFileSync(file, `${JSON.stringify(fresh, undefined, 2)}\n`, { flag: 'wx', mode: FILE_MODE })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw new ConfigError(`${file} cannot be written: ${(error as Error).message}`)
    }
  }
  if ((statSync(file).mode & EXPOSED_BITS) !== 0) chmodSync(file, FILE_MODE)
  const parsed = secretsFile.safeParse(parseJson(readFileSync(file, 'utf8')))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')
  throw new ConfigError(`${file} holds no usable secrets (${faults}); restore it, or set JWT_SECRET and ENCRYPTION_KEY`)
}

/**
 * The keys of `npm run rotate-key`. A new key that is kept beside the database is written down before anything is sealed with it, so that
 * it is the same when the command is run again.
 * @throws ConfigError when ENCRYPTION_KEY is given and NEW_ENCRYPTION_KEY is not, or is weak or the same
 */
export function keyRotation(env: Readonly<Record<string, string | undefined>> = process.env): {
  config: AppConfig
  from: string
  to: string
  /** To be called when everything is sealed with the new key; says what is left to do. */
  finish(): string
} {
  const config = readConfig(env)
  const given = env['NEW_ENCRYPTION_KEY']
  const fault = given === undefined ? undefined : secretFault(given)
  if (fault !== undefined) throw new ConfigError(`NEW_ENCRYPTION_KEY: ${fault}`)
  if (env['ENCRYPTION_KEY']) {
    if (given === undefined || given === config.encryptionKey)
      throw new ConfigError('NEW_ENCRYPTION_KEY: must be given, and be another than ENCRYPTION_KEY')
    return { config, from: config.encryptionKey, to: given, finish: () => 'start the servers with the new key as ENCRYPTION_KEY' }
  }
  const file = join(dirname(config.dbPath), SECRETS_FILE)
  const { next_encryption_key: next, ...kept } = keptSecrets(config.dbPath, true)
  const to = given ?? next ?? randomToken(SECRET_BYTES)
  replaceSecrets(file, { ...kept, next_encryption_key: to })
  return {
    config,
    from: kept.encryption_key,
    to,
    finish() {
      replaceSecrets(file, { ...kept, encryption_key: to })
      return `the new key is kept in ${file}; the old one is gone, and backups of before need it`
    },
  }
}

/** Whoever is killed leaves the old file or the new one, never half of one. */
function replaceSecrets(file: string, secrets: z.output<typeof secretsFile>): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: FILE_MODE, flush: true })
  renameSync(`${file}.new`, file)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
