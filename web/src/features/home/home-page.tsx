import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ArrowRight } from 'lucide-react'
import { useEffect } from 'react'
import { publicModelsQuery } from '../../api/queries.ts'
import { readToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { protocolSnippets } from '../../snippets.ts'
import { buttonClass } from '../../ui/button.tsx'
import { CodeTabs } from '../../ui/code.tsx'
import { Amount } from '../../ui/money.tsx'
import { Heading } from '../../ui/page.tsx'

/** Stands in the snippet until the site sells a model. */
const SAMPLE_MODEL = 'gpt-5-mini'
/** A page shows this many prices; the catalogue shows all. */
const SHOWN_MODELS = 6
/** The site's other client keeps an inviter's code under this name (contract.md 3.6). */
const REFERRAL = 'referral_code'

/** What this is, and how to begin. */
export function HomePage() {
  const t = useT()
  const { baseUrl, name, settings } = useSite()
  const models = useQuery(publicModelsQuery)
  useEffect(() => {
    document.title = name
    const code = new URLSearchParams(location.search).get('ref')
    if (code !== null && /^[A-Za-z0-9-]{4,40}$/.test(code)) localStorage.setItem(REFERRAL, code)
  }, [name])
  const first = models.data?.[0]
  if (settings.home_iframe_url) return <OwnersHome address={settings.home_iframe_url} announcement={settings.announcement} />
  return (
    <>
      <Announcement text={settings.announcement} />
      <div className="mx-auto grid max-w-[1120px] items-center gap-x-16 gap-y-10 px-5 pt-12 pb-16 sm:px-6 sm:pt-20 lg:grid-cols-[minmax(0,1.02fr)_minmax(0,1fr)]">
        <div>
          <Heading title={t('home.hero')} className="hero" />
          <p className="mt-5 max-w-lg text-[16.5px] leading-relaxed text-ink-2">{t('home.lead')}</p>
          <div className="mt-8 flex flex-wrap items-center gap-3">
            {readToken() === undefined ? (
              <Link to="/login" className={buttonClass('primary', 'lg')}>
                {t('home.start')}
                <ArrowRight size={17} aria-hidden />
              </Link>
            ) : (
              <Link to="/dashboard" className={buttonClass('primary', 'lg')}>
                {t('shell.console')}
                <ArrowRight size={17} aria-hidden />
              </Link>
            )}
            <p className="text-sm text-ink-3" aria-live="polite">
              {models.data && (models.data.length > 0 ? t('home.models', { count: models.data.length }) : t('home.noModels'))}
            </p>
          </div>
        </div>
        <div className="min-w-0">
          <p className="mb-2.5 text-[13px] font-medium text-ink-3">{t('home.oneLine')}</p>
          <CodeTabs tabs={protocolSnippets(baseUrl, first?.model_name ?? SAMPLE_MODEL)} label={t('home.protocols')} />
        </div>
      </div>
      {models.data && models.data.length > 0 && (
        <section aria-labelledby="prices" className="mx-auto max-w-[1120px] px-5 pb-16 sm:px-6">
          <div className="mb-3 flex flex-wrap items-baseline justify-between gap-2">
            <h2 id="prices" className="text-base">
              {t('home.onSale')}
            </h2>
            <p className="text-[13px] text-ink-3">{t('home.priceNote')}</p>
          </div>
          <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {models.data.slice(0, SHOWN_MODELS).map((model) => (
              <li key={model.model_name} className="rounded-lg border border-line bg-surface px-4 py-3.5 shadow-card">
                <p translate="no" className="truncate font-medium">
                  {model.model_name}
                </p>
                <dl className="mt-1.5 flex gap-5 text-[13px] text-ink-3">
                  <div className="flex gap-1.5">
                    <dt>{t('price.input')}</dt>
                    <dd className="text-ink">
                      <Amount value={model.input_price} />
                    </dd>
                  </div>
                  <div className="flex gap-1.5">
                    <dt>{t('price.output')}</dt>
                    <dd className="text-ink">
                      <Amount value={model.output_price} />
                    </dd>
                  </div>
                </dl>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-label={t('home.why')} className="border-t border-line bg-sunken/60">
        <ul className="mx-auto grid max-w-[1120px] gap-8 px-5 py-12 sm:grid-cols-3 sm:px-6">
          {(['exact', 'protocols', 'failover'] as const).map((point) => (
            <li key={point}>
              <h2 className="text-[15px]">{t(`home.point.${point}`)}</h2>
              <p className="mt-1.5 text-ink-2">{t(`home.point.${point}.text`)}</p>
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}

/** The owner's own start page in the place of ours; it has an origin of its own and cannot reach this page. */
function OwnersHome({ address, announcement }: { address: string; announcement: string | undefined }) {
  const t = useT()
  return (
    <div className="flex min-h-[calc(100dvh-3.5rem)] flex-col">
      <h1 className="sr-only">{t('content.home')}</h1>
      <Announcement text={announcement} />
      <iframe
        title={t('content.home')}
        src={address}
        sandbox="allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        className="w-full flex-1"
      />
    </div>
  )
}

function Announcement({ text }: { text: string | undefined }) {
  if (!text) return null
  return <p className="border-b border-line bg-accent-soft px-4 py-2.5 text-center text-sm whitespace-pre-line text-accent-text">{text}</p>
}
