import { templateById, templates, type Template } from './templates.ts'

/** The upstream the wizard works on; kept when one goes back to mend the key. */
export interface Upstream {
  readonly channelId: number
  readonly name: string
  readonly baseUrl: string
  readonly template: Template
}

/** What the form of the provider step holds; it survives going forth and back. */
export interface ProviderDraft {
  templateId: string | undefined
  name: string
  baseUrl: string
  type: string
  apiKey: string
}

/** The template of a channel that was connected before: by its address and then its type, else the one of an address of one's own. */
export function templateOf({ base_url: baseUrl, type }: { base_url: string; type: string }): Template | undefined {
  const known = templates.filter((template) => template.baseUrl !== '' && template.baseUrl === baseUrl)
  return known.find((template) => template.type === type) ?? known[0] ?? templateById('custom')
}
