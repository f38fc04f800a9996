// `npm run sbom`: what is shipped, as CycloneDX 1.6 JSON on standard output, from package-lock.json alone. The same lock gives the same
// bytes, so that two versions can be compared with diff.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { inRoot } from './paths.mjs'

/** What CycloneDX calls the algorithms of `integrity` (W3C Subresource Integrity). */
const ALGORITHMS = { sha512: 'SHA-512', sha384: 'SHA-384', sha256: 'SHA-256', sha1: 'SHA-1' }

/**
 * The bill of materials of a lock file.
 * @param {{ name: string, version: string, packages: Record<string, any> }} lock
 */
export function sbomOf({ name, version, packages }) {
  const components = new Map()
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '') continue
    const component = componentOf(path, entry)
    const known = components.get(component.purl)
    // The same package at two places of the tree counts once, as the most needed of them.
    if (known === undefined || component.scope === 'required') components.set(component.purl, component)
  }
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name, version, 'bom-ref': `pkg:npm/${name}@${version}` } },
    components: [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
  }
}

function componentOf(path, { version, integrity, license, dev, optional, devOptional }) {
  const full = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const [group, name] = full.startsWith('@') ? full.split('/') : [undefined, full]
  const purl = `pkg:npm/${full.replace('@', '%40')}@${version}`
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name,
    version,
    // `excluded`: needed to build and to test only.
    scope: dev || devOptional ? 'excluded' : optional ? 'optional' : 'required',
    ...(integrity !== undefined && { hashes: integrity.split(' ').map(hashOf) }),
    ...(license !== undefined && { licenses: [{ expression: license }] }),
    purl,
  }
}

function hashOf(text) {
  const [algorithm, base64] = text.split(/-(.*)/s)
  return { alg: ALGORITHMS[algorithm], content: Buffer.from(base64, 'base64').toString('hex') }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lock = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'))
  process.stdout.write(`${JSON.stringify(sbomOf(lock), null, 2)}\n`)
}
