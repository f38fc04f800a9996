import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Page } from '../../ui/page.tsx'
import { AuthenticatorCard } from './authenticator-card.tsx'
import { PasskeysCard } from './passkeys-card.tsx'
import { PasswordCard } from './password-card.tsx'
import { ProviderCard } from './provider-card.tsx'
import { SessionsCard } from './sessions-card.tsx'
import { StepUpProvider } from './step-up.tsx'

/** How the person gets in, and where he is in. */
export function SecurityPage() {
  const t = useT()
  const { settings } = useSite()
  return (
    <StepUpProvider>
      <Page title={t('nav.security')} lead={t('security.lead')}>
        <div className="max-w-3xl space-y-6">
          {settings.passkey_enabled === true && <PasskeysCard />}
          <AuthenticatorCard />
          {settings.password_login_enabled !== false && <PasswordCard />}
          {settings.oidc_enabled === true && <ProviderCard />}
          <SessionsCard />
        </div>
      </Page>
    </StepUpProvider>
  )
}
