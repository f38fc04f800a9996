import { useMutation } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { call } from '../../api/http.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { Rich, useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'

const parts = {
  code: (text: string) => (
    <code translate="no" className="text-ink">
      {text}
    </code>
  ),
}

/** The guard of outgoing calls refused an address of the house: the owner may allow exactly this one. */
export function AllowAddress({ entry, onAllowed }: { entry: string; onAllowed(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const allow = useMutation({
    mutationFn: async () => {
      const { ssrf_allowed_hosts: before = '' } = await call<{ ssrf_allowed_hosts?: string }>('GET', '/api/settings')
      const hosts = before.split(/[\s,]+/).filter(Boolean)
      if (!hosts.includes(entry)) await call('PUT', '/api/settings', { body: { ssrf_allowed_hosts: [...hosts, entry].join(',') } })
    },
    onSuccess: onAllowed,
  })
  return (
    <div className="rounded-lg border border-line bg-sunken px-4 py-3.5">
      <p className="text-ink-2">
        <Rich k="start.allow.text" values={{ entry }} parts={parts} />
      </p>
      {allow.isError && (
        <p role="alert" className="mt-2 text-bad">
          {errorText(allow.error)}
        </p>
      )}
      <Button variant="primary" className="mt-3" busy={allow.isPending} onClick={() => allow.mutate()}>
        <ShieldCheck size={15} aria-hidden />
        {t('start.allow.action', { entry })}
      </Button>
    </div>
  )
}
