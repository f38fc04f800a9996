import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { onSessionEnded } from '../../api/http.ts'
import { onTokenChanged, readToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SignInForm } from '../auth/sign-in-form.tsx'

/**
 * A session that ended is renewed in place: the page and its half-filled form stay, and what was being read is read
 * again. Writes are not repeated: the person presses the button again.
 */
export function SessionGate() {
  const t = useT()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  useEffect(
    () =>
      onSessionEnded(() => {
        if (location.pathname.startsWith('/dashboard') || location.pathname === '/setup') setOpen(true)
      }),
    [],
  )
  useEffect(
    () =>
      onTokenChanged(() => {
        if (readToken() === undefined) {
          if (location.pathname.startsWith('/dashboard')) location.assign('/login')
          return
        }
        setOpen(false)
        void client.invalidateQueries()
      }),
    [client],
  )
  if (!open) return null
  return (
    <Dialog open onOpenChange={setOpen} sticky title={t('auth.endedTitle')} description={t('auth.endedText')}>
      <SignInForm
        onDone={async () => {
          setOpen(false)
          await client.invalidateQueries()
        }}
      />
    </Dialog>
  )
}
