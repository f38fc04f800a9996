import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { chatSnippets } from '../../snippets.ts'
import { Button } from '../../ui/button.tsx'
import { CodeTabs } from '../../ui/code.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'

/** The only time the secret is seen; closing says that it is stored. */
export function NewSecret({ secret, name, model, onClose }: { secret: string; name: string; model: string | undefined; onClose(): void }) {
  const t = useT()
  const { baseUrl } = useSite()
  return (
    <Dialog
      open
      onOpenChange={onClose}
      shape="sheet"
      sticky
      title={t('keys.madeTitle', { name })}
      description={t('keys.onceText')}
      footer={
        <Button variant="primary" onClick={onClose}>
          {t('keys.stored')}
        </Button>
      }
    >
      <div className="rounded-lg border border-line bg-sunken p-3.5">
        <code translate="no" data-testid="secret" className="block text-[13px] leading-relaxed break-all select-all">
          {secret}
        </code>
        <div className="mt-3">
          <CopyButton text={secret} label={t('keys.copy')} variant="plain" />
        </div>
      </div>
      {model !== undefined && (
        <div className="mt-6">
          <h3 className="mb-2.5 text-sm">{t('start.call.snippets')}</h3>
          <CodeTabs tabs={chatSnippets(baseUrl, model, secret)} label={t('start.call.snippets')} />
        </div>
      )}
    </Dialog>
  )
}
