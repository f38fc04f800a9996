import { ErrorPanel } from '../../ui/error-panel.tsx'

/** The server could not even say who it is. */
export function BootFailed({ error }: { error: unknown }) {
  return (
    <main className="mx-auto max-w-xl px-4 pt-[20vh]">
      <ErrorPanel error={error} onRetry={() => location.reload()} />
    </main>
  )
}
