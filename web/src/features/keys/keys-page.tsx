import { useQuery } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { apiKeysQuery } from '../../api/queries.ts'
import type { ApiKey } from '../../api/types.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ErrorPanel } from '../../ui/error-panel.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { SkeletonRows } from '../../ui/skeleton.tsx'
import { CreateKey } from './create-key.tsx'
import { DeleteKey } from './delete-key.tsx'
import { KeyRow } from './key-row.tsx'

/** Own keys: what programs call the gateway with. */
export function KeysPage() {
  const t = useT()
  const keys = useQuery(apiKeysQuery)
  const [creating, setCreating] = useState(false)
  const [deleting, setDeleting] = useState<ApiKey>()
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      {t('keys.create')}
    </Button>
  )
  const some = keys.data !== undefined && keys.data.length > 0
  return (
    <Page title={t('nav.keys')} lead={t('keys.lead')} actions={some && create}>
      {keys.isError && <ErrorPanel error={keys.error} onRetry={() => void keys.refetch()} />}
      {!keys.isError && (
        <Card>
          {keys.isPending && <SkeletonRows />}
          {keys.data && !some && <Empty icon={<KeyRound size={20} />} title={t('keys.empty')} text={t('keys.emptyText')} action={create} />}
          {some && (
            <ul className="divide-y divide-line">
              {keys.data.map((key) => (
                <KeyRow key={key.id} apiKey={key} onDelete={() => setDeleting(key)} />
              ))}
            </ul>
          )}
        </Card>
      )}
      {creating && <CreateKey onClose={() => setCreating(false)} />}
      {deleting && <DeleteKey apiKey={deleting} onClose={() => setDeleting(undefined)} />}
    </Page>
  )
}
