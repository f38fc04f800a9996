/// <reference types="vite/client" />
import './styles.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/http.ts'
import { takeReturn } from './features/auth/oidc-return.ts'
import { rememberReferral } from './features/auth/referral.ts'
import { BootFailed } from './features/shell/boot-failed.tsx'
import { SessionGate } from './features/shell/session-gate.tsx'
import { I18nProvider } from './i18n/i18n.tsx'
import { currentLanguage, loadCatalogue } from './i18n/language.ts'
import { createConsoleRouter } from './routes.tsx'
import { loadBoot, SiteProvider } from './site.tsx'
import { followSystemTheme } from './theme.ts'
import { ToastRegion } from './ui/toast.tsx'

/** GETs are tried this often again when the network or the server stumbles; a refusal is final. */
const READ_RETRIES = 2
const RELOADED = 'tollgate.reloaded'

// Radix adds its scroll lock as a <style>; this is where its helper looks for the nonce of the page's policy.
const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute('content')
if (nonce) Object.assign(globalThis, { __webpack_nonce__: nonce })

// A chunk of an older build is gone after a deploy: one reload brings the new build.
addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem(RELOADED) !== null) return
  sessionStorage.setItem(RELOADED, '1')
  event.preventDefault()
  location.reload()
})

rememberReferral()
takeReturn()

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < READ_RETRIES && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
    mutations: { retry: false },
  },
})

const container = document.getElementById('root')
if (!container) throw new Error('index.html has no #root')
const language = currentLanguage()
const root = createRoot(container)

async function start(): Promise<void> {
  const catalogue = await loadCatalogue(language)
  const boot = await loadBoot().catch((error: unknown) => error)
  if (boot instanceof Error) {
    root.render(
      <I18nProvider language={language} catalogue={catalogue}>
        <BootFailed error={boot} />
      </I18nProvider>,
    )
    return
  }
  followSystemTheme()
  const router = createConsoleRouter(queryClient)
  root.render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <I18nProvider language={language} catalogue={catalogue}>
          <SiteProvider boot={boot as Awaited<ReturnType<typeof loadBoot>>}>
            <RouterProvider router={router} />
            <SessionGate />
            <ToastRegion />
          </SiteProvider>
        </I18nProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
  sessionStorage.removeItem(RELOADED)
}

void start()
