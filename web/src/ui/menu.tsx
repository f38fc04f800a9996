import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { IconButton } from './button.tsx'

/** One row of a menu: a choice among others when `checked` is given. */
export interface MenuItem {
  readonly key: string
  readonly label: string
  readonly icon?: ReactNode
  readonly checked?: boolean
  onSelect(): void
}

export interface MenuProps {
  /** Name of the button that opens it. */
  label: string
  trigger: ReactNode
  heading?: ReactNode
  items: readonly MenuItem[]
  className?: string
}

const RadixMenu = lazy(() => import('./menu-radix.tsx').then((module) => ({ default: module.RadixMenu })))

/** A menu behind an icon. Its machinery loads when the page is idle; a press before that opens it as soon as it is there. */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false)
  const [pressed, setPressed] = useState(false)
  useEffect(() => {
    const idle = setTimeout(() => setWanted(true), 700)
    return () => clearTimeout(idle)
  }, [])
  const placeholder = (
    <IconButton
      label={props.label}
      aria-haspopup="menu"
      tip="none"
      className={props.className}
      onClick={() => {
        setPressed(true)
        setWanted(true)
      }}
    >
      {props.trigger}
    </IconButton>
  )
  return wanted ? (
    <Suspense fallback={placeholder}>
      <RadixMenu {...props} initiallyOpen={pressed} />
    </Suspense>
  ) : (
    placeholder
  )
}
