import { pageOf } from '../../../contract/api/common.ts'
import {
  createAnnouncement as createEndpoint,
  deleteAnnouncement as deleteEndpoint,
  listAnnouncements,
  listPublicAnnouncements,
  updateAnnouncement as updateEndpoint,
} from '../../../contract/api/announcements.ts'
import { bind, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { allAnnouncements, createAnnouncement, deleteAnnouncement, publicAnnouncements, updateAnnouncement } from './service.ts'

/** What the site tells its visitors. */
export function announcementsRoutes(deps: Deps): Route[] {
  return [
    bind(listPublicAnnouncements, () => publicAnnouncements(deps)),
    bind(listAnnouncements, ({ query }) => allAnnouncements(deps, pageOf(query))),
    bind(createEndpoint, ({ body, caller, ip }) => createAnnouncement(deps, body, { userId: caller.userId, ip })),
    bind(updateEndpoint, ({ params, body, caller, ip }) => updateAnnouncement(deps, params.id, body, { userId: caller.userId, ip })),
    bind(deleteEndpoint, async ({ params, caller, ip }) => {
      await deleteAnnouncement(deps, params.id, { userId: caller.userId, ip })
      return { message: 'Announcement deleted' }
    }),
  ]
}
