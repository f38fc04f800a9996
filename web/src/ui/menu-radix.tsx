import { Check } from 'lucide-react'
import * as Radix from 'radix-ui/dropdown-menu'
import { IconButton } from './button.tsx'
import type { MenuProps } from './menu.tsx'

const row =
  'flex h-9 w-full items-center gap-2.5 rounded-md px-2.5 text-sm text-ink outline-none select-none data-highlighted:bg-hover coarse:h-11'

/** The loaded menu; `Menu` brings it in. */
export function RadixMenu({ label, trigger, heading, items, className, initiallyOpen }: MenuProps & { initiallyOpen: boolean }) {
  return (
    <Radix.Root modal={false} defaultOpen={initiallyOpen}>
      <Radix.Trigger asChild>
        <IconButton label={label} tip="none" className={className}>
          {trigger}
        </IconButton>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-44 animate-fade rounded-lg border border-line bg-surface p-1 shadow-float"
        >
          {heading !== undefined && <Radix.Label className="border-b border-line px-2.5 pt-1.5 pb-2 mb-1">{heading}</Radix.Label>}
          {items.map((item) =>
            item.checked === undefined ? (
              <Radix.Item key={item.key} className={row} onSelect={item.onSelect}>
                {item.icon}
                {item.label}
              </Radix.Item>
            ) : (
              <Radix.CheckboxItem key={item.key} checked={item.checked} className={row} onSelect={item.onSelect}>
                {item.icon}
                <span className="flex-1">{item.label}</span>
                <Radix.ItemIndicator>
                  <Check size={15} className="text-accent-text" aria-hidden />
                </Radix.ItemIndicator>
              </Radix.CheckboxItem>
            ),
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
