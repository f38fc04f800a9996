import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Printer } from 'lucide-react'
import { ApiError } from '../../api/http.ts'
import { receiptQuery } from '../../api/queries.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Page } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { ReceiptFacts } from './receipt-facts.tsx'
import { ReceiptPaper } from './receipt-paper.tsx'

const route = getRouteApi('/dashboard/logs/$id')

/** One call: what it was, what it cost and why. */
export function ReceiptPage() {
  const t = useT()
  const { id } = route.useParams()
  const receipt = useQuery(receiptQuery(id))
  const gone = receipt.error instanceof ApiError && receipt.error.status === 404
  return (
    <Page
      title={t('receipt.title')}
      lead={t('receipt.lead')}
      actions={
        receipt.data && (
          <span className="flex gap-2 print:hidden">
            <CopyButton text={JSON.stringify(receipt.data, null, 2)} label={t('receipt.copyJson')} variant="plain" />
            <Button onClick={() => print()}>
              <Printer size={15} aria-hidden />
              {t('receipt.print')}
            </Button>
          </span>
        )
      }
    >
      {receipt.isPending && <SkeletonRows rows={10} />}
      {gone && (
        <Empty
          title={t('receipt.gone')}
          action={
            <Link to="/dashboard/logs" className={buttonClass('plain')}>
              {t('receipt.back')}
            </Link>
          }
        />
      )}
      {receipt.isError && !gone && <ErrorPanel error={receipt.error} onRetry={() => void receipt.refetch()} />}
      {receipt.data && (
        <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_320px]">
          <ReceiptPaper receipt={receipt.data} />
          <ReceiptFacts receipt={receipt.data} />
        </div>
      )}
    </Page>
  )
}
