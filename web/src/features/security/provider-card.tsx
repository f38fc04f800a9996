import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/http.ts'
import { meQuery } from '../../api/queries.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { FormError } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { toast } from '../../ui/toast.tsx'
import { isFault, useStepUp } from './step-up.tsx'

/** Connects the account to the site's identity provider, or disconnects it. */
export function ProviderCard() {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const stepUp = useStepUp()
  const me = useQuery(meQuery)
  const bound = me.data?.oidc_sub !== undefined && me.data.oidc_sub !== ''
  const change = useMutation({
    mutationFn: () =>
      stepUp(async () => {
        if (bound) await call('DELETE', '/api/user/oidc')
        else location.assign((await call<{ auth_url: string }>('POST', '/api/user/oidc/bind-url')).auth_url)
      }),
    onSuccess: async () => {
      if (!bound) return
      await client.invalidateQueries({ queryKey: ['me'] })
      toast(t('security.unbound'))
    },
  })
  return (
    <Card title={t('security.provider')}>
      <div className="space-y-4 p-5">
        {change.isError && isFault(change.error) && <FormError>{errorText(change.error)}</FormError>}
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="text-ink-2">{t(bound ? 'security.boundText' : 'security.unboundText')}</p>
          <Button disabled={!me.data} busy={change.isPending} onClick={() => change.mutate()}>
            {t(bound ? 'security.unbind' : 'security.bind')}
          </Button>
        </div>
      </div>
    </Card>
  )
}
