import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Trash2 } from 'lucide-react'
import { call } from '../../api/http.ts'
import type { ApiKey } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { isPositive } from '../../i18n/numbers.ts'
import { Badge } from '../../ui/badge.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Amount } from '../../ui/money.tsx'
import { Switch } from '../../ui/switch.tsx'
import { Time } from '../../ui/time.tsx'

/** One key: never its secret. */
export function KeyRow({ apiKey: key, onDelete }: { apiKey: ApiKey; onDelete(): void }) {
  const t = useT()
  const errorText = useErrorText()
  const client = useQueryClient()
  const toggle = useMutation({
    // PUT replaces the lists (contract.md 3.6), so the key goes back as it is but for the switch.
    mutationFn: (enabled: boolean) =>
      call('PUT', `/api/user/api-keys/${key.id}`, {
        body: {
          name: key.name,
          allowed_models: key.allowed_models,
          allowed_user_channels: key.allowed_user_channels,
          allowed_ips: key.allowed_ips,
          quota_limit: key.quota_limit,
          rate_limit_rpm: key.rate_limit_rpm,
          expires_at: key.expires_at,
          enabled,
        },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['api-keys'] }),
  })
  const usedUp = key.quota_remaining !== undefined && isPositive(key.quota_limit) && !isPositive(key.quota_remaining)
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3.5 sm:px-5">
      <div className="min-w-0 flex-[2_1_220px]">
        <p className="flex flex-wrap items-center gap-2">
          <span translate="no" className="font-medium break-all">
            {key.name}
          </span>
          {!key.enabled && <Badge>{t('keys.off')}</Badge>}
          {usedUp && <Badge tone="warn">{t('keys.usedUp')}</Badge>}
        </p>
        <p className="mt-0.5 text-[13px] text-ink-3">
          <code translate="no">{key.key_prefix}</code>
          {' · '}
          {key.allowed_models.length === 0 ? t('keys.allModels') : t('keys.someModels', { count: key.allowed_models.length })}
          {key.allowed_ips.length > 0 && ` · ${t('keys.someIps', { count: key.allowed_ips.length })}`}
        </p>
        {toggle.isError && (
          <p role="alert" className="mt-1 text-[13px] text-bad">
            {errorText(toggle.error)}
          </p>
        )}
      </div>
      <dl className="flex flex-[2_1_260px] gap-x-6 text-[13px]">
        <div className="min-w-24">
          <dt className="text-ink-3">{t('keys.spent')}</dt>
          <dd>
            <Amount value={key.usage.total_cost} />
            {isPositive(key.quota_limit) && (
              <>
                {' '}
                / <Amount value={key.quota_limit} />
              </>
            )}
          </dd>
        </div>
        <div>
          <dt className="text-ink-3">{t('keys.lastUsed')}</dt>
          <dd>{key.last_used_at === null ? t('keys.never') : <Time value={key.last_used_at} />}</dd>
        </div>
      </dl>
      <div className="flex items-center gap-2">
        <Switch
          label={t('keys.enabledOf', { name: key.name })}
          checked={key.enabled}
          disabled={toggle.isPending}
          onChange={(enabled) => toggle.mutate(enabled)}
        />
        <IconButton label={t('keys.deleteOf', { name: key.name })} onClick={onDelete}>
          <Trash2 size={16} aria-hidden />
        </IconButton>
      </div>
    </li>
  )
}
