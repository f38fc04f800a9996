import { ExternalLink } from 'lucide-react'
import type { Key } from '../../i18n/en/index.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Badge } from '../../ui/badge.tsx'
import { cx } from '../../ui/cx.ts'
import { Card } from '../../ui/page.tsx'
import { typeOf, type ApiDocument, type Caller, type Operation, type Parameter, type Schema } from './document.ts'
import { Method } from './method.tsx'
import { SchemaView } from './schema-view.tsx'
import { TryIt } from './try-it.tsx'

/** Who may call, in words. */
const callers: Record<Caller, Key> = {
  gateway: 'reference.caller.gateway',
  public: 'reference.caller.public',
  user: 'reference.caller.user',
  support: 'reference.caller.support',
  finance: 'reference.caller.finance',
  admin: 'reference.caller.admin',
  owner: 'reference.caller.owner',
}

/** One operation: who may call it, what goes in, what comes out, and a place to try it. */
export function OperationView({ document, operation }: { document: ApiDocument; operation: Operation }) {
  const t = useT()
  const body = operation.body?.['application/json']?.schema
  const answer = operation.answer?.['application/json']?.schema
  const otherAnswers = Object.keys(operation.answer ?? {}).filter((type) => type !== 'application/json')
  const ofMaker = operation.caller === 'gateway'
  return (
    <article aria-label={`${operation.method} ${operation.path}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <Method name={operation.method} className="text-sm" />
        <h2 translate="no" className="font-mono text-[15px] font-medium break-words [overflow-wrap:anywhere]">
          {operation.path}
        </h2>
        <Badge>{t(callers[operation.caller])}</Badge>
      </div>
      <p lang="en" className="mt-2 max-w-2xl text-ink-2">
        {operation.summary}
      </p>
      {operation.docsUrl !== undefined && (
        <p className="mt-2 text-[13px] text-ink-3">
          {t('reference.ofMaker')}{' '}
          <a
            href={operation.docsUrl}
            target="_blank"
            rel="noreferrer"
            className="inline-flex items-center gap-1 text-accent-text underline"
          >
            {t('reference.makerDocs')}
            <ExternalLink size={13} aria-hidden />
          </a>
        </p>
      )}
      <div className={cx('mt-6 grid items-start gap-5', ofMaker ? 'max-w-3xl' : 'xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]')}>
        <div className="min-w-0 space-y-5">
          {operation.parameters.length > 0 && (
            <Card title={t('reference.parameters')}>
              <ul className="divide-y divide-line px-4 sm:px-5">
                {operation.parameters.map((parameter) => (
                  <ParameterLine key={parameter.name} document={document} parameter={parameter} />
                ))}
              </ul>
            </Card>
          )}
          {body && !ofMaker && <SchemaCard title={t('reference.body')} document={document} schema={body} given="request" />}
          {answer && !ofMaker && <SchemaCard title={t('reference.answer')} document={document} schema={answer} given="answer" />}
          {otherAnswers.length > 0 && !ofMaker && (
            <p className="text-[13px] text-ink-3">{t('reference.otherAnswers', { types: otherAnswers.join(', ') })}</p>
          )}
          <ErrorNote gateway={ofMaker} />
        </div>
        <TryIt key={operation.id} document={document} operation={operation} />
      </div>
    </article>
  )
}

function SchemaCard({ title, ...schema }: { title: string; document: ApiDocument; schema: Schema; given: 'request' | 'answer' }) {
  return (
    <Card title={title}>
      <div className="px-4 py-2 sm:px-5">
        <SchemaView {...schema} />
      </div>
    </Card>
  )
}

function ParameterLine({ document, parameter }: { document: ApiDocument; parameter: Parameter }) {
  const t = useT()
  return (
    <li className="py-2 text-[13px]">
      <span className="inline-flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5">
        <code translate="no" className="font-medium text-ink">
          {parameter.name}
        </code>
        <code translate="no" className="text-xs text-ink-3">
          {typeOf(document, parameter.schema)}
        </code>
        <span className="text-xs text-ink-3">{t(parameter.in === 'path' ? 'reference.inPath' : 'reference.inQuery')}</span>
        {parameter.required && <span className="text-xs text-accent-text">{t('reference.required')}</span>}
      </span>
    </li>
  )
}

function ErrorNote({ gateway }: { gateway: boolean }) {
  const t = useT()
  return <p className="text-[13px] text-ink-3">{t(gateway ? 'reference.errorsOfMaker' : 'reference.errorsOurs')}</p>
}
