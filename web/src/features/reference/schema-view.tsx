import { useT } from '../../i18n/i18n.tsx'
import { resolve, typeOf, withoutNull, type ApiDocument, type Schema } from './document.ts'

/** Members inside members that are drawn; a schema that holds itself ends here. */
const MAX_DEPTH = 6

interface Props {
  document: ApiDocument
  schema: Schema
  /** Of an answer members that may be missing are marked, of a request those that must not be. */
  given: 'request' | 'answer'
}

/** A schema as a list of its members, those of members folded below them. */
export function SchemaView({ document, schema, given }: Props) {
  return <Members document={document} schema={schema} given={given} depth={0} />
}

function Members({ document, schema: outer, given, depth }: Props & { depth: number }) {
  const t = useT()
  const schema = insideOf(document, outer)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) {
    return (
      <div className="space-y-3">
        {choices.map((choice, index) => (
          // The choices of one schema never move.
          <div key={index} className={index > 0 ? 'border-t border-dashed border-line pt-3' : undefined}>
            <p className="mb-1 text-xs font-medium text-ink-3">{index === 0 ? t('reference.either') : t('reference.or')}</p>
            <Type document={document} schema={choice} />
            <Members document={document} schema={choice} given={given} depth={depth} />
          </div>
        ))}
      </div>
    )
  }
  const members = Object.entries(schema.properties ?? {})
  if (members.length === 0) return depth === 0 && !schema.properties ? <Type document={document} schema={outer} /> : null
  return (
    <ul className="divide-y divide-line">
      {members.map(([name, member]) => (
        <Member
          key={name}
          name={name}
          document={document}
          schema={member}
          given={given}
          required={schema.required?.includes(name) ?? false}
          depth={depth}
        />
      ))}
    </ul>
  )
}

function Member({ name, document, schema, given, required, depth }: Props & { name: string; required: boolean; depth: number }) {
  const t = useT()
  const inner = insideOf(document, schema)
  const more =
    depth < MAX_DEPTH && (inner.properties !== undefined || (inner.anyOf ?? inner.oneOf)?.some((one) => hasMembers(document, one)))
  const line = (
    <span className="inline-flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5">
      <code translate="no" className="font-medium break-all text-ink">
        {name}
      </code>
      <Type document={document} schema={schema} />
      {required && given === 'request' && <span className="text-xs text-accent-text">{t('reference.required')}</span>}
      {!required && given === 'answer' && <span className="text-xs text-ink-3">{t('common.optional')}</span>}
      <Limits schema={schema} />
    </span>
  )
  return (
    <li className="py-2 text-[13px]">
      {more ? (
        <details>
          <summary className="rounded-sm marker:text-ink-3">{line}</summary>
          <div className="mt-1.5 ml-1 border-l border-line pl-4">
            <Members document={document} schema={schema} given={given} depth={depth + 1} />
          </div>
        </details>
      ) : (
        line
      )}
      {schema.description !== undefined && <p className="mt-0.5 text-ink-3">{schema.description}</p>}
    </li>
  )
}

function Type({ document, schema }: Omit<Props, 'given'>) {
  return (
    <code translate="no" className="text-xs break-words text-ink-3">
      {typeOf(document, schema)}
    </code>
  )
}

/** Bounds that the type does not say; those of every safe integer say nothing. */
function Limits({ schema: given }: { schema: Schema }) {
  const { schema } = withoutNull(given)
  const parts = [
    schema.minimum !== undefined && Math.abs(schema.minimum) < Number.MAX_SAFE_INTEGER ? `>= ${schema.minimum}` : '',
    schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER ? `<= ${schema.maximum}` : '',
    schema.maxLength === undefined ? '' : `<= ${schema.maxLength} chars`,
  ].filter(Boolean)
  return parts.length === 0 ? null : (
    <span translate="no" className="nums text-xs text-ink-3">
      {parts.join(', ')}
    </span>
  )
}

/** What a reference, a nullable or a list is of. */
function insideOf(document: ApiDocument, given: Schema): Schema {
  const { schema } = withoutNull(resolve(document, given))
  const resolved = resolve(document, schema)
  return resolved.type === 'array' && resolved.items ? insideOf(document, resolved.items) : resolved
}

function hasMembers(document: ApiDocument, schema: Schema): boolean {
  return insideOf(document, schema).properties !== undefined
}
