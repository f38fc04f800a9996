import { templates, type Template } from './templates.ts'

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

/** The template of a channel that was connected before: by its address, else the custom one. */
export function templateOf(baseUrl: string): Template | undefined {
  return templates.find((template) => template.baseUrl !== '' && template.baseUrl === baseUrl) ?? templates.at(-1)
}
