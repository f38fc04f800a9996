import { X } from 'lucide-react'
import * as Radix from 'radix-ui/dialog'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.tsx'
import { IconButton } from './button.tsx'
import { cx } from './cx.ts'

type Shape = 'dialog' | 'sheet' | 'drawer'

const shapes: Record<Shape, string> = {
  dialog:
    'inset-x-0 bottom-0 max-h-[92dvh] rounded-t-xl sm:inset-x-auto sm:bottom-auto sm:left-1/2 sm:top-[12vh] sm:w-full sm:max-w-md sm:-translate-x-1/2 sm:rounded-xl sm:max-h-[80vh] animate-fade',
  sheet: 'inset-0 sm:left-auto sm:w-full sm:max-w-lg sm:border-l animate-sheet',
  drawer: 'inset-y-0 left-0 w-72 max-w-[85vw] border-r animate-drawer',
}

interface DialogProps {
  open: boolean
  onOpenChange(open: boolean): void
  title: string
  description?: ReactNode
  shape?: Shape
  /** Closing needs an answer: outside clicks and Esc do nothing. */
  sticky?: boolean
  children: ReactNode
  footer?: ReactNode
}

/** A modal: a dialog, a side sheet, or the phone's menu drawer. Focus goes in and comes back to the opener. */
export function Dialog({ open, onOpenChange, title, description, shape = 'dialog', sticky = false, children, footer }: DialogProps) {
  const t = useT()
  const keep = (event: Event) => {
    if (sticky) event.preventDefault()
  }
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-black/45 backdrop-blur-[2px]" />
        <Radix.Content
          onPointerDownOutside={keep}
          onEscapeKeyDown={keep}
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
          className={cx('fixed z-50 flex flex-col border-line bg-surface shadow-float outline-none', shapes[shape])}
        >
          <div className="flex items-start justify-between gap-4 px-5 pt-4.5 pb-3">
            <div className="min-w-0">
              <Radix.Title className="text-base">{title}</Radix.Title>
              {description !== undefined && <Radix.Description className="mt-1 text-sm text-ink-2">{description}</Radix.Description>}
            </div>
            {!sticky && (
              <Radix.Close asChild>
                <IconButton label={t('common.close')} tip="none" className="-mr-1.5 -mt-1">
                  <X size={17} aria-hidden />
                </IconButton>
              </Radix.Close>
            )}
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{children}</div>
          {footer !== undefined && <div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3.5">{footer}</div>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
