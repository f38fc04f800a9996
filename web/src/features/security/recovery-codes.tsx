import { useT } from '../../i18n/i18n.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'

/** The only time the codes are seen; closing says that they are stored. */
export function RecoveryCodes({ codes, onClose }: { codes: readonly string[]; onClose(): void }) {
  const t = useT()
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join('\n')}\n`)}`
  return (
    <Dialog
      open
      onOpenChange={onClose}
      sticky
      title={t('security.codesTitle')}
      description={t('security.codesText')}
      footer={
        <Button variant="primary" onClick={onClose}>
          {t('keys.stored')}
        </Button>
      }
    >
      <ul
        translate="no"
        data-testid="recovery-codes"
        className="grid grid-cols-2 gap-x-4 gap-y-1.5 rounded-lg border border-line bg-sunken p-4"
      >
        {codes.map((code) => (
          <li key={code}>
            <code className="text-[13px] select-all">{code}</code>
          </li>
        ))}
      </ul>
      <div className="mt-3 flex flex-wrap items-center gap-3">
        <CopyButton text={codes.join('\n')} label={t('security.copyCodes')} variant="plain" />
        <a href={file} download="tollgate-recovery-codes.txt" className="text-[13px] font-medium text-accent hover:underline">
          {t('security.downloadCodes')}
        </a>
      </div>
    </Dialog>
  )
}
