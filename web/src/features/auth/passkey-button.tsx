import { useMutation } from '@tanstack/react-query'
import { Fingerprint } from 'lucide-react'
import { call } from '../../api/http.ts'
import { storeToken } from '../../api/session.ts'
import type { PasskeyRequest, SignedIn } from '../../api/types.ts'
import { useErrorText } from '../../i18n/error-text.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { FormError } from '../../ui/field.tsx'
import { PasskeyCancelled, passkeysWork, signWithPasskey } from '../security/webauthn.ts'

/** Signs in with a passkey; the browser offers the accounts it has one for. */
export function PasskeyButton({ onDone }: { onDone(): Promise<void> | void }) {
  const t = useT()
  const errorText = useErrorText()
  const works = passkeysWork()
  const signIn = useMutation({
    mutationFn: async () => {
      const { publicKey } = await call<{ publicKey: PasskeyRequest }>('POST', '/auth/passkey/login/options', { body: {} })
      return call<SignedIn>('POST', '/auth/passkey/login', { body: await signWithPasskey(publicKey) })
    },
    onSuccess: async ({ token }) => {
      storeToken(token)
      await onDone()
    },
  })
  return (
    <div className="space-y-3">
      {signIn.isError && !(signIn.error instanceof PasskeyCancelled) && <FormError>{errorText(signIn.error)}</FormError>}
      <Button className="w-full" disabled={!works} busy={signIn.isPending} onClick={() => signIn.mutate()}>
        <Fingerprint size={16} aria-hidden />
        {t('security.usePasskey')}
      </Button>
      {!works && <p className="text-[13px] text-ink-3">{t('security.insecure')}</p>}
    </div>
  )
}
