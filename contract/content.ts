/** Pages that the owner writes, and which setting each shows. */
export const contentSettings = { about: 'about_html', privacy: 'privacy_policy', terms: 'terms' } as const
export type ContentPage = keyof typeof contentSettings

/** True for the name of such a page. */
export function isContentPage(name: string): name is ContentPage {
  return Object.hasOwn(contentSettings, name)
}
