import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react'
import { call } from './api/http.ts'
import type { Boot, PublicSettings } from './api/types.ts'

interface Site {
  readonly settings: PublicSettings
  readonly name: string
  /** What amounts are shown in. */
  readonly currency: string
  /** Where programs reach this site, without a trailing slash. */
  readonly baseUrl: string
  readonly setupRequired: boolean
  /** Told when setup went through on this page, so that nothing has to be loaded again. */
  completeSetup(siteName: string): void
}

const Context = createContext<Site | undefined>(undefined)

/** Reads the boot block the server wrote into the page; a page served without one (development) asks for the same data. */
export async function loadBoot(): Promise<Boot> {
  const text = document.getElementById('boot')?.textContent ?? ''
  try {
    return JSON.parse(text) as Boot
  } catch {
    const [settings, setup] = await Promise.all([
      call<PublicSettings>('GET', '/api/public/settings'),
      call<{ required: boolean }>('GET', '/api/setup/status'),
    ])
    return { settings, setup_required: setup.required, build: '' }
  }
}

export function SiteProvider({ boot, children }: { boot: Boot; children: ReactNode }) {
  const [state, setState] = useState({ settings: boot.settings, setupRequired: boot.setup_required })
  const completeSetup = useCallback((siteName: string) => {
    setState((before) => ({ settings: { ...before.settings, site_name: siteName }, setupRequired: false }))
  }, [])
  const site = useMemo<Site>(
    () => ({
      settings: state.settings,
      name: state.settings.site_name ?? 'Tollgate',
      currency: state.settings.payment_currency_display_name ?? '$',
      baseUrl: (state.settings.base_url === undefined || state.settings.base_url === ''
        ? location.origin
        : state.settings.base_url
      ).replace(/\/+$/, ''),
      setupRequired: state.setupRequired,
      completeSetup,
    }),
    [state, completeSetup],
  )
  return <Context value={site}>{children}</Context>
}

/** The site's public face: name, currency, addresses, setup state. */
export function useSite(): Site {
  const site = use(Context)
  if (site === undefined) throw new Error('useSite outside of SiteProvider')
  return site
}
