/** Addresses that no outbound call may reach, for the port of a listener that would notice. */
export interface Targets {
  /** The way in for an owner's own server, where redirects begin. */
  standIn: string
  port: number
}

/** What the names below resolve to, for each time they are asked. `standIn` is the only address that is allowed. */
export const names: Record<string, (turn: number, standIn: string) => string[]> = {
  'inside.test': () => ['127.0.0.1'],
  'inside6.test': () => ['::1'],
  'mapped.test': () => ['::ffff:127.0.0.1'],
  'private.test': () => ['10.0.0.7'],
  'metadata.test': () => ['169.254.169.254'],
  'mixed.test': (_, standIn) => [standIn, '127.0.0.1'],
  'mixed6.test': (_, standIn) => ['::1', standIn],
  'rebinding.test': (turn, standIn) => [turn === 0 ? standIn : '127.0.0.1'],
  'sub.localhost.test': () => ['127.0.0.1'],
}

/** 30 literals in every spelling a parser takes. */
const literals = [
  '127.0.0.1',
  '127.1',
  '127.1.2.3',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '0',
  '0.0.0.0',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127.0.0.1.',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::1]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '169.254.169.254',
  '168.63.129.16',
  '198.18.0.1',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[fec0::1]',
  '224.0.0.1',
  '255.255.255.255',
]

/** The targets of promises.md S3; `%` in a redirect is where it leads. */
export function targetsOf({ standIn, port }: Targets): string[] {
  const allowed = `http://${standIn}:${port}`
  const leadingTo = (...hops: string[]): string => hops.reduceRight((next, hop) => `${hop}/to/${Buffer.from(next).toString('base64url')}`)
  const canary = `http://127.0.0.1:${port}`
  return [
    ...literals.map((host) => `http://${host}:${port}`),
    `http://localhost:${port}`,
    `http://LOCALHOST.:${port}`,
    `http://a.localhost:${port}`,
    ...Object.keys(names).map((name) => `http://${name}:${port}`),
    leadingTo(allowed, canary),
    leadingTo(allowed, allowed, canary),
    leadingTo(allowed, allowed, allowed, `http://inside.test:${port}`),
    leadingTo(allowed, `http://[::1]:${port}`),
    leadingTo(allowed, `http://localhost:${port}`),
    leadingTo(allowed, `//127.0.0.1:${port}`),
    leadingTo(allowed, `http://rebinding.test:${port}`),
    leadingTo(allowed, `file:///etc/passwd`),
    `http://${standIn}:${port}@127.0.0.1:${port}`,
    `http://user:secret@127.0.0.1:${port}`,
    `http://${standIn}@inside.test:${port}`,
    `http://127.0.0.1:${port}#@${standIn}:${port}`,
    `http://127.0.0.1:${port}#.${standIn}`,
    `http://127.0.0.1:${port}\\@${standIn}:${port}`,
    `http://127.0.0.1:${port}?@${standIn}`,
    `http://127.0.0.1:${port}/#/${standIn}`,
    'http://127.0.0.1:22',
    'http://127.0.0.1:6379',
    'http://[::1]:5432',
    'https://127.0.0.1',
  ]
}
