import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { ApiError } from '../../api/http.ts'
import type { ErrorCode } from '../../../../contract/errors.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { Button } from '../../ui/button.tsx'
import { FormError } from '../../ui/field.tsx'
import { AuthFrame, AuthLink, Notice } from './auth-frame.tsx'
import { goToProvider } from './oidc-return.ts'
import { PasskeyButton } from './passkey-button.tsx'
import { SignInForm } from './sign-in-form.tsx'

const route = getRouteApi('/visitor/login')

export function LoginPage() {
  const t = useT()
  const errorText = useErrorText()
  const { catalogue } = useLanguage()
  const { name, settings } = useSite()
  const { next, error } = route.useSearch()
  const navigate = useNavigate()
  const client = useQueryClient()
  const password = settings.password_login_enabled !== false
  const oidc = settings.oidc_enabled === true
  const passkey = settings.passkey_enabled === true
  const done = async () => {
    client.clear()
    await navigate({ to: next ?? '/dashboard' })
  }
  const code = error === undefined || Object.hasOwn(catalogue, `error.${error}`) ? error : 'oidc_failed'
  return (
    <AuthFrame title={t('auth.title', { site: name })} lead={t('auth.lead')}>
      {code !== undefined && (
        <div className="mb-5">
          <FormError>{errorText(new ApiError('', { status: 400, code: code as ErrorCode }))}</FormError>
        </div>
      )}
      {passkey && <PasskeyButton onDone={done} />}
      {passkey && password && <Or />}
      {password && <SignInForm onDone={done} />}
      {password && settings.mail_enabled === true && (
        <Link to="/reset" className="mt-4 self-start text-[13px] text-ink-2 hover:text-ink hover:underline">
          {t('auth.forgot')}
        </Link>
      )}
      {(password || passkey) && oidc && <Or />}
      {oidc && (
        <Button className="w-full" onClick={goToProvider}>
          {t('auth.oidc')}
        </Button>
      )}
      {!password && !oidc && !passkey && <Notice>{t('auth.noMethod')}</Notice>}
      {settings.password_registration_enabled !== false && <AuthLink k="auth.noAccount" to="/register" />}
    </AuthFrame>
  )
}

function Or() {
  const t = useT()
  return (
    <div className="my-5 flex items-center gap-3 text-xs text-ink-3" aria-hidden>
      <span className="h-px flex-1 bg-line" />
      {t('auth.or')}
      <span className="h-px flex-1 bg-line" />
    </div>
  )
}
