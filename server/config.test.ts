import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { helpText, readConfig } from './config.ts'

let folder: string
let env: Record<string, string>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-config-'))
  env = { DB_PATH: join(folder, 'new', 'tollgate.db') }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const GOOD = 'kR7-vQ2xW9mZ4pT8yN3bL6cJ1fH5gD0sA'

describe('configuration', () => {
  test('has a default for everything', () => {
    expect(readConfig(env)).toMatchObject({ port: 8080, host: '0.0.0.0', databaseUrl: undefined, logLevel: 'info', trustedProxies: [] })
  })

  test('makes strong secrets once, readable by the owner only, and keeps them', () => {
    const first = readConfig(env)
    const file = join(folder, 'new', 'secrets.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(first.jwtSecret).not.toBe(first.encryptionKey)
    expect(first.jwtSecret.length).toBeGreaterThanOrEqual(43)
    chmodSync(file, 0o644)
    expect(readConfig(env)).toMatchObject({ jwtSecret: first.jwtSecret, encryptionKey: first.encryptionKey })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain(first.jwtSecret)
  })

  test('does not make new secrets over damaged ones', () => {
    const file = join(folder, 'secrets.json')
    writeFileSync(file, '{"jwt_secret":"')
    expect(() => readConfig({ DB_PATH: join(folder, 'x.db') })).toThrow('no usable secrets')
    expect(readFileSync(file, 'utf8')).toBe('{"jwt_secret":"')
  })

  test.each([
    'change-me-please',
    'change-me-please-change-me-please',
    'secret',
    'password',
    'x'.repeat(64),
    '12345678901234567890123456789012',
    `your-secret-key${'-aB3dE5gH7'.repeat(3)}`,
    GOOD.slice(0, 31),
  ])('refuses the secret %s in every mode', (secret) => {
    for (const mode of ['', 'development', 'dev', 'local', 'test', 'production']) {
      for (const name of ['JWT_SECRET', 'ENCRYPTION_KEY'])
        expect(() => readConfig({ ...env, APP_ENV: mode, [name]: secret })).toThrow(`${name}: `)
    }
  })

  test('takes given secrets, and an empty variable as an absent one', () => {
    expect(readConfig({ ...env, JWT_SECRET: GOOD, ENCRYPTION_KEY: '', PORT: '' })).toMatchObject({ jwtSecret: GOOD, port: 8080 })
  })

  test('says for each variable what is wrong with it', () => {
    const wrong = {
      PORT: '99999',
      DATABASE_URL: 'mysql://x',
      REDIS_URL: 'x',
      TRUSTED_PROXIES: '10.0.0.0/8, nonsense',
      LOG_LEVEL: 'loud',
      OIDC_ISSUER: 'x',
    }
    let message = ''
    try {
      readConfig({ ...env, ...wrong })
    } catch (error) {
      message = (error as Error).message
    }
    expect(
      message
        .split('\n')
        .map((line) => line.slice(0, line.indexOf(':')))
        .toSorted(),
    ).toEqual(Object.keys(wrong).toSorted())
    expect(message).toContain('"nonsense" is neither an IP address nor a CIDR range')
  })

  test('--help names every variable', () => {
    for (const name of [
      'PORT',
      'HOST',
      'DB_PATH',
      'DATABASE_URL',
      'REDIS_URL',
      'JWT_SECRET',
      'ENCRYPTION_KEY',
      'APP_ENV',
      'TRUSTED_PROXIES',
      'LOG_LEVEL',
      'OIDC_ISSUER',
      'BOOTSTRAP_ADMIN_EMAILS',
      'BOOTSTRAP_ADMIN_OIDC_SUBS',
    ]) {
      expect(helpText).toContain(name)
    }
  })
})
