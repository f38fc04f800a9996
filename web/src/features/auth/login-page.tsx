import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useQueryClient } from '@tanstack/react-query'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Heading } from '../../ui/page.tsx'
import { Mark } from '../shell/brand.tsx'
import { SignInForm } from './sign-in-form.tsx'

const route = getRouteApi('/visitor/login')

export function LoginPage() {
  const t = useT()
  const { name, settings } = useSite()
  const { next } = route.useSearch()
  const navigate = useNavigate()
  const client = useQueryClient()
  return (
    <div className="mx-auto flex w-full max-w-sm flex-col px-5 pt-[10vh] pb-16">
      <Mark size={40} />
      <Heading title={t('auth.title', { site: name })} className="mt-5" />
      <p className="mt-1.5 mb-7 text-ink-2">{t('auth.lead')}</p>
      {settings.password_login_enabled === false ? (
        <p className="rounded-lg border border-line bg-sunken p-4 text-ink-2">{t('auth.noMethod')}</p>
      ) : (
        <SignInForm
          onDone={async () => {
            client.clear()
            await navigate({ to: next ?? '/dashboard' })
          }}
        />
      )}
    </div>
  )
}
