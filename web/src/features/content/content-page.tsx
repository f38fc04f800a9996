import { contentSettings, type ContentPage as Page } from '../../../../contract/content.ts'
import type { Key } from '../../i18n/en/index.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Heading } from '../../ui/page.tsx'
import { NotFound } from '../shell/not-found.tsx'

const titles: Record<Page, Key> = { about: 'content.about', privacy: 'content.privacy', terms: 'content.terms' }

export const AboutPage = () => <ContentPage page="about" />
export const PrivacyPage = () => <ContentPage page="privacy" />
export const TermsPage = () => <ContentPage page="terms" />

/** What the owner wrote, in a frame that has no rights; scripts in it do not run. */
function ContentPage({ page }: { page: Page }) {
  const t = useT()
  const { settings } = useSite()
  if (!settings[contentSettings[page]]) return <NotFound />
  const theme = document.documentElement.classList.contains('dark') ? 'dark' : 'light'
  return (
    <div className="mx-auto flex min-h-[calc(100dvh-3.5rem)] max-w-[820px] flex-col px-4 pt-8 sm:px-6">
      <Heading title={t(titles[page])} />
      <iframe
        title={t(titles[page])}
        src={`/content/${page}?theme=${theme}`}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        className="mt-5 min-h-96 w-full flex-1"
      />
    </div>
  )
}
