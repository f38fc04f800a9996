import { queryOptions, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronLeft, FileJson } from 'lucide-react'
import { useMemo } from 'react'
import { call } from '../../api/http.ts'
import { useT } from '../../i18n/i18n.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Card, Heading } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { operationsOf, type ApiDocument } from './document.ts'
import { ErrorsView } from './errors-view.tsx'
import { OperationList } from './operation-list.tsx'
import { OperationView } from './operation-view.tsx'

const route = getRouteApi('/visitor/docs/api')
/** What most readers come for; shown beside the list while nothing is chosen. */
const FIRST = 'post_v1_chat_completions'
/** Not an operation's name: the table of errors. */
const ERRORS = 'errors'

const documentQuery = queryOptions({
  queryKey: ['openapi'],
  staleTime: Infinity,
  queryFn: ({ signal }) => call<ApiDocument>('GET', '/openapi.json', { signal }),
})

/** Every operation of this very server, from its own OpenAPI document. */
export function ReferencePage() {
  const t = useT()
  const { op } = route.useSearch()
  const document = useQuery(documentQuery)
  const operations = useMemo(() => (document.data ? operationsOf(document.data) : []), [document.data])
  const chosen = operations.find(({ id }) => id === (op ?? FIRST))
  const inside = op !== undefined
  return (
    <div className="mx-auto max-w-[1480px] px-4 pt-6 pb-16 sm:px-6 sm:pt-8">
      <div className={cx('flex-wrap items-start justify-between gap-x-6 gap-y-3', inside ? 'hidden md:flex' : 'flex')}>
        <div className="min-w-0">
          <Heading title={t('reference.title')} />
          <p className="mt-1 max-w-2xl text-ink-2">{t('reference.lead')}</p>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <Link to="/docs/api" search={{ op: ERRORS }} className={buttonClass('plain', 'sm')}>
            {t('reference.errors')}
          </Link>
          <a href="/openapi.json" className={buttonClass('plain', 'sm')}>
            <FileJson size={15} aria-hidden />
            {t('reference.download')}
          </a>
        </div>
      </div>
      {document.isError && <ErrorPanel error={document.error} onRetry={() => void document.refetch()} />}
      {document.isPending && (
        <Card className="mt-6">
          <SkeletonRows rows={8} />
        </Card>
      )}
      {document.data && (
        <div className="mt-6 items-start gap-8 md:grid md:grid-cols-[264px_minmax(0,1fr)]">
          <aside
            className={cx(
              'md:sticky md:top-14 md:-ml-2 md:block md:max-h-[calc(100dvh-3.5rem)] md:overflow-y-auto md:py-2 md:pr-1 md:pl-2',
              inside && 'hidden',
            )}
          >
            <OperationList operations={operations} chosen={inside ? op : undefined} />
          </aside>
          <div className={cx('min-w-0 md:block', !inside && 'hidden')}>
            <Link to="/docs/api" search={{}} className={cx(buttonClass('quiet', 'sm'), 'mb-3 -ml-2.5 md:hidden')}>
              <ChevronLeft size={15} aria-hidden />
              {t('reference.all')}
            </Link>
            {op === ERRORS ? (
              <ErrorsView document={document.data} />
            ) : chosen ? (
              <OperationView document={document.data} operation={chosen} />
            ) : (
              <Empty icon={<FileJson size={20} />} title={t('reference.unknown')} text={t('reference.chooseText')} />
            )}
          </div>
        </div>
      )}
    </div>
  )
}
