import { Languages, Monitor, Moon, Sun } from 'lucide-react'
import { useState } from 'react'
import { useLanguage, useT } from '../../i18n/i18n.tsx'
import { languageNames, languages } from '../../i18n/language.ts'
import { chooseTheme, currentTheme, themes, type Theme } from '../../theme.ts'
import { Menu } from '../../ui/menu.tsx'

const icons: Record<Theme, typeof Sun> = { system: Monitor, light: Sun, dark: Moon }

/** Light, dark, or as the system has it. */
export function ThemeMenu() {
  const t = useT()
  const [theme, setTheme] = useState(currentTheme)
  const Icon = icons[theme]
  return (
    <Menu
      label={t('shell.theme')}
      trigger={<Icon size={17} aria-hidden />}
      items={themes.map((choice) => {
        const ChoiceIcon = icons[choice]
        return {
          key: choice,
          label: t(`shell.theme.${choice}`),
          icon: <ChoiceIcon size={15} className="text-ink-3" aria-hidden />,
          checked: choice === theme,
          onSelect: () => {
            chooseTheme(choice)
            setTheme(choice)
          },
        }
      })}
    />
  )
}

/** Each language is named in itself. */
export function LanguageMenu() {
  const t = useT()
  const { language, setLanguage } = useLanguage()
  return (
    <Menu
      label={t('shell.language')}
      trigger={<Languages size={17} aria-hidden />}
      items={languages.map((choice) => ({
        key: choice,
        label: languageNames[choice],
        checked: choice === language,
        onSelect: () => void setLanguage(choice),
      }))}
    />
  )
}
