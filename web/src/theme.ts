export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const STORED = 'tollgate.theme'
const systemDark = () => matchMedia('(prefers-color-scheme: dark)')

/** The reader's choice; `system` until one was made. */
export function currentTheme(): Theme {
  const stored = localStorage.getItem(STORED)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

/** Remembers and shows a theme; /boot.js reads it before the next first paint. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(STORED)
  else localStorage.setItem(STORED, theme)
  apply()
}

/** Follows the system while that is the choice. */
export function followSystemTheme(): void {
  systemDark().addEventListener('change', apply)
}

function apply(): void {
  const theme = currentTheme()
  document.documentElement.classList.toggle('dark', theme === 'dark' || (theme === 'system' && systemDark().matches))
}
