// The laws of docs/architecture.md that oxlint has no rule for, as its plugin: they need the place a path leads to.
import { dirname, join, relative, sep } from 'node:path'
import { root } from './paths.mjs'

/**
 * Folder -> the folders it may import besides itself. The first that fits a path counts; what fits none is free.
 * @type {[string, string[]][]}
 */
const LAYERS = [
  ['contract/', []],
  ['server/lib/', ['contract/']],
  ['server/db/', ['contract/', 'server/lib/']],
  ['server/http/', ['contract/', 'server/lib/', 'server/db/']],
  // The meta language is pure like the protocols; whoever stores programs checks them by it.
  ['server/features/', ['contract/', 'server/lib/', 'server/db/', 'server/http/', 'server/relay/meta/']],
  ['server/relay/protocols/', ['contract/']],
  ['server/relay/meta/', ['contract/']],
  [
    'server/relay/',
    ['contract/', 'server/lib/', 'server/db/', 'server/http/', 'server/features/', 'server/relay/protocols/', 'server/relay/meta/'],
  ],
  [
    'server/jobs/',
    ['contract/', 'server/lib/', 'server/db/', 'server/http/', 'server/features/', 'server/relay/', 'server/relay/protocols/'],
  ],
  ['server/config.ts', ['contract/', 'server/lib/']],
  ['server/', ['contract/', 'server/']],
  ['web/', ['contract/']],
]

/**
 * Packages a folder may import, where it may not import all.
 * @type {[string, string[]][]}
 */
const PACKAGES = [
  ['contract/', ['zod']],
  ['server/relay/protocols/', ['zod', 'node:crypto']],
]

/** Siblings in these folders do not know each other: a protocol none of the others, a feature no store but its own. */
const PROTOCOL = /^server\/relay\/protocols\/([^/]+)\//
const STORE = /^server\/features\/([^/]+)\/store\.ts$/

/** Tests use what they like. */
const isTest = (file) => /(^|\/)(test-kit|[^/]+\.test)\.tsx?$/.test(file)
const placeOf = (file) => LAYERS.find(([prefix]) => file.startsWith(prefix))

/** Why `file` may not import `target` (both from the root), or undefined. */
function forbidden(file, target) {
  const from = placeOf(file)
  const to = placeOf(target)?.[0] ?? `${target.split('/')[0]}/`
  if (from !== undefined && from[0] !== to && !from[1].some((place) => place === to || (place === 'server/' && to.startsWith(place)))) {
    return `${from[0]} may import ${from[1].join(', ') || 'nothing'}, not ${to}`
  }
  const protocol = PROTOCOL.exec(file)?.[1]
  const other = PROTOCOL.exec(target)?.[1]
  if (protocol !== undefined && other !== undefined && protocol !== other)
    return 'protocols do not know each other, only canonical.ts and its like'
  const owner = STORE.exec(target)?.[1]
  if (owner !== undefined && !file.startsWith(`server/features/${owner}/`))
    return `the tables of ${owner} have one owner: use its service.ts`
  return undefined
}

const layers = {
  create(context) {
    const file = relative(root, context.filename).split(sep).join('/')
    if (isTest(file)) return {}
    const packages = PACKAGES.find(([prefix]) => file.startsWith(prefix))?.[1]
    const check = (node) => {
      const specifier = node.source?.value
      if (typeof specifier !== 'string') return
      if (specifier.startsWith('.')) {
        const reason = forbidden(file, join(dirname(file), specifier).split(sep).join('/'))
        if (reason !== undefined) context.report({ node, message: `Layer: ${reason}.` })
      } else if (packages !== undefined && !packages.includes(specifier.replace(/^(zod)\/.*/, '$1'))) {
        context.report({ node, message: `Layer: of packages only ${packages.join(', ')} here, not ${specifier}.` })
      }
    }
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check }
  },
}

/** `new Date()` and `Date()` read the clock like `Date.now()`, which no-restricted-properties sees. */
const clock = {
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return
      if (node.type === 'CallExpression' || node.arguments.length === 0)
        context.report({ node, message: 'Time comes in through Deps: use the clock.' })
    }
    return { NewExpression: check, CallExpression: check }
  },
}

export default { meta: { name: 'laws' }, rules: { layers, clock } }
