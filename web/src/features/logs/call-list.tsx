import { useNavigate, Link } from '@tanstack/react-router'
import type { LogRow } from '../../api/types.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { compactCount, duration } from '../../i18n/numbers.ts'
import { Amount } from '../../ui/money.tsx'
import { Table, Td, Th } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { EndBadge } from './end-badge.tsx'

/** Calls, newest first; each is a link to its receipt. A table where there is room, stacked rows on a phone. */
export function CallList({ rows, caption }: { rows: readonly LogRow[]; caption: string }) {
  const t = useT()
  const navigate = useNavigate()
  const { language } = useLanguage()
  return (
    <>
      <div className="hidden md:block">
        <Table
          caption={caption}
          head={
            <>
              <Th>{t('logs.time')}</Th>
              <Th>{t('logs.model')}</Th>
              <Th>{t('logs.result')}</Th>
              <Th numeric>{t('logs.in')}</Th>
              <Th numeric>{t('logs.out')}</Th>
              <Th numeric>{t('logs.duration')}</Th>
              <Th numeric>{t('logs.cost')}</Th>
            </>
          }
        >
          {rows.map((row) => (
            <tr
              key={row.id}
              className="cursor-pointer hover:bg-hover/60 has-focus-visible:bg-hover/60"
              onClick={(event) => {
                if (!(event.target instanceof HTMLElement && event.target.closest('a')) && getSelection()?.isCollapsed !== false)
                  void navigate({ to: '/dashboard/logs/$id', params: { id: String(row.id) } })
              }}
            >
              <Td className="text-ink-2">
                <Time value={row.created_at} />
              </Td>
              <Td>
                <Link
                  to="/dashboard/logs/$id"
                  params={{ id: String(row.id) }}
                  translate="no"
                  className="rounded-sm font-medium break-all hover:underline"
                >
                  {row.model_name}
                </Link>
              </Td>
              <Td>
                <EndBadge reason={row.end_reason} />
              </Td>
              <Td numeric title={String(row.input_tokens)}>
                {compactCount(row.input_tokens, language)}
              </Td>
              <Td numeric title={String(row.output_tokens)}>
                {compactCount(row.output_tokens, language)}
              </Td>
              <Td numeric className="text-ink-2">
                {duration(row.response_time_ms, language)}
              </Td>
              <Td numeric className="font-medium">
                <Amount value={row.cost} />
              </Td>
            </tr>
          ))}
        </Table>
      </div>
      <ul className="divide-y divide-line md:hidden">
        {rows.map((row) => (
          <li key={row.id}>
            <Link to="/dashboard/logs/$id" params={{ id: String(row.id) }} className="block px-4 py-3 active:bg-hover">
              <span className="flex items-baseline justify-between gap-3">
                <span translate="no" className="min-w-0 truncate font-medium">
                  {row.model_name}
                </span>
                <Amount value={row.cost} className="font-medium" />
              </span>
              <span className="mt-1.5 flex items-center justify-between gap-3 text-[13px] text-ink-3">
                <EndBadge reason={row.end_reason} />
                <Time value={row.created_at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}
