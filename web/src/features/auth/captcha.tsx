import { useEffect, useRef, useState } from 'react'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'

const SCRIPT = 'https://js.hcaptcha.com/1/api.js?render=explicit'

interface HCaptcha {
  render(element: HTMLElement, options: Record<string, unknown>): string
  remove(id: string): void
}

let loading: Promise<HCaptcha> | undefined

/** Loads the service's script, once, and only where a captcha is drawn. */
function load(): Promise<HCaptcha> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = SCRIPT
    script.async = true
    script.addEventListener('load', () => resolve((globalThis as unknown as { hcaptcha: HCaptcha }).hcaptcha))
    script.addEventListener('error', () => {
      loading = undefined
      reject(new Error('the captcha did not load'))
    })
    document.head.append(script)
  })
  return loading
}

/** The captcha of a form where the site asks for one; each try needs a new one: give it another `key`. */
export function Captcha({ onToken }: { onToken(token: string | undefined): void }) {
  const t = useT()
  const { language } = useLanguage()
  const { settings } = useSite()
  const place = useRef<HTMLDivElement>(null)
  const told = useRef(onToken)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    told.current = onToken
  })
  const siteKey = settings.hcaptcha_site_key ?? ''
  const wanted = settings.password_hcaptcha_enabled === true && siteKey !== ''
  useEffect(() => {
    if (!wanted) return undefined
    let gone = false
    let remove = (): void => undefined
    const draw = async () => {
      const service = await load()
      if (gone || !place.current) return
      const id = service.render(place.current, {
        sitekey: siteKey,
        hl: language,
        theme: document.documentElement.classList.contains('dark') ? 'dark' : 'light',
        callback: (token: string) => told.current(token),
        'expired-callback': () => told.current(undefined),
      })
      remove = () => service.remove(id)
    }
    draw().catch(() => setFailed(true))
    return () => {
      gone = true
      remove()
    }
  }, [wanted, siteKey, language])
  if (!wanted) return null
  return failed ? <p className="text-[13px] text-bad">{t('auth.captchaFailed')}</p> : <div ref={place} className="min-h-[78px]" />
}
