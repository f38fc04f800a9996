import { useQuery } from '@tanstack/react-query'
import { Play, Square } from 'lucide-react'
import { useEffect, useMemo, useRef, useState, type SyntheticEvent } from 'react'
import { publicModelsQuery } from '../../api/queries.ts'
import { sendRaw, type RawAnswer } from '../../api/raw.ts'
import { readToken } from '../../api/session.ts'
import { useT } from '../../i18n/i18n.tsx'
import { useSite } from '../../site.tsx'
import { SAMPLE_KEY } from '../../snippets.ts'
import { Button } from '../../ui/button.tsx'
import { CodeTabs } from '../../ui/code.tsx'
import { Field, Input, SecretInput, Select, Textarea } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { AnswerView } from './answer-view.tsx'
import type { ApiDocument, Operation } from './document.ts'
import { addressOf, curlOf, exampleBody } from './example.ts'

/** Stands in examples until the site sells a model. */
const SAMPLE_MODEL = 'gpt-5-mini'
type Credential = 'session' | 'key' | 'none'

/** A request written by hand: the line for a terminal follows what is filled in, and a press sends it from here. */
export function TryIt({ document, operation }: { document: ApiDocument; operation: Operation }) {
  const t = useT()
  const { baseUrl } = useSite()
  const models = useQuery(publicModelsQuery)
  const model = models.data?.find(({ is_meta_model: meta }) => !meta)?.model_name ?? SAMPLE_MODEL
  const example = useMemo(() => {
    const value = exampleBody(document, operation, model)
    return value === undefined ? undefined : JSON.stringify(value, null, 2)
  }, [document, operation, model])
  const [params, setParams] = useState<Record<string, string>>({})
  const [written, setWritten] = useState<string>()
  const signedIn = readToken() !== undefined
  const [credential, setCredential] = useState<Credential>(operation.caller === 'public' ? 'none' : signedIn ? 'session' : 'key')
  const [key, setKey] = useState('')
  const { answer, failed, running, send, stop } = useRequest()
  const body = operation.method === 'GET' ? undefined : (written ?? example)
  const filled = { params, body: body === '' ? undefined : body }
  const shown = credential === 'none' ? undefined : credential === 'key' ? key || SAMPLE_KEY : '$TOKEN'
  const missing = operation.parameters.some(({ name, required }) => required && (params[name] ?? '') === '')
  const onlyForms = operation.body !== undefined && example === undefined
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    const bearer = credential === 'session' ? readToken() : credential === 'key' ? key.trim() : undefined
    void send(operation.method, addressOf(operation, params), filled.body, bearer)
  }
  return (
    <div className="min-w-0 space-y-5 xl:sticky xl:top-20">
      <CodeTabs label={t('reference.example')} tabs={[{ id: 'curl', name: 'curl', code: curlOf(baseUrl, operation, filled, shown) }]} />
      <Card title={t('reference.try')}>
        <form onSubmit={submit} className="space-y-4 px-4 py-4 sm:px-5">
          <div className="grid gap-4 empty:hidden sm:grid-cols-2">
            {operation.parameters.map(({ name, required }) => (
              <Field key={name} label={name} optional={!required}>
                <Input
                  name={name}
                  value={params[name] ?? ''}
                  required={required}
                  spellCheck={false}
                  autoComplete="off"
                  placeholder={name === 'model' ? model : undefined}
                  onChange={(event) => setParams({ ...params, [name]: event.target.value })}
                />
              </Field>
            ))}
          </div>
          {example !== undefined && (
            <Field label={t('reference.body')}>
              <Textarea
                value={body}
                rows={Math.min(14, (body ?? '').split('\n').length + 1)}
                spellCheck={false}
                translate="no"
                className="font-mono text-[13px]"
                onChange={(event) => setWritten(event.target.value)}
              />
            </Field>
          )}
          {operation.caller !== 'public' && (
            <div className="grid gap-4 sm:grid-cols-2">
              <Field label={t('reference.credential')}>
                <Select value={credential} onChange={(event) => setCredential(event.target.value as Credential)}>
                  {signedIn && <option value="session">{t('reference.session')}</option>}
                  <option value="key">{t(operation.caller === 'gateway' ? 'reference.key' : 'reference.token')}</option>
                  <option value="none">{t('reference.none')}</option>
                </Select>
              </Field>
              {credential === 'key' && (
                <Field label={t(operation.caller === 'gateway' ? 'reference.key' : 'reference.token')}>
                  <SecretInput value={key} autoComplete="off" onChange={(event) => setKey(event.target.value)} />
                </Field>
              )}
            </div>
          )}
          {onlyForms ? (
            <p className="text-[13px] text-ink-3">{t('reference.onlyForms')}</p>
          ) : (
            <div className="flex flex-wrap items-center gap-3">
              {running ? (
                <Button onClick={stop}>
                  <Square size={14} aria-hidden />
                  {t('reference.stop')}
                </Button>
              ) : (
                <Button type="submit" variant="primary" disabled={missing}>
                  <Play size={14} aria-hidden />
                  {t('reference.send')}
                </Button>
              )}
              <p className="min-w-0 flex-1 text-[13px] text-ink-3">
                {t(operation.method === 'GET' ? 'reference.reads' : 'reference.writes')}
              </p>
            </div>
          )}
        </form>
        <AnswerView answer={answer} failed={failed} running={running} />
      </Card>
    </div>
  )
}

/** One request at a time; leaving the operation ends it. */
function useRequest() {
  const [answer, setAnswer] = useState<Partial<RawAnswer>>()
  const [failed, setFailed] = useState(false)
  const [running, setRunning] = useState(false)
  const current = useRef<AbortController>(undefined)
  useEffect(() => () => current.current?.abort(), [])
  const send = async (method: string, path: string, body: string | undefined, bearer: string | undefined) => {
    const controller = new AbortController()
    current.current = controller
    setRunning(true)
    setFailed(false)
    setAnswer(undefined)
    try {
      const { signal } = controller
      const options = {
        signal,
        onText: (text: string) => setAnswer({ text }),
        ...(body !== undefined && { body }),
        ...(bearer && { bearer }),
      }
      const whole = await sendRaw(method, path, options)
      if (!signal.aborted) setAnswer(whole)
    } catch {
      // Broken off by the reader, or no server: what came so far stays.
      if (!controller.signal.aborted) setFailed(true)
    } finally {
      if (current.current === controller) setRunning(false)
    }
  }
  return { answer, failed, running, send, stop: () => current.current?.abort() }
}
