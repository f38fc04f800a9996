import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { idParams, listSchema, messageAnswer, pageQuery, time } from './common.ts'

export const announcementWire = z.strictObject({
  id: z.int(),
  title: z.string(),
  content: z.string(),
  enabled: z.boolean(),
  sort_order: z.int(),
  created_at: time,
  updated_at: time,
})

export type AnnouncementWire = z.input<typeof announcementWire>

/** Longest text of one announcement: a page of prose, not a document. */
const MAX_CONTENT = 20_000
/** Sort orders fit the integer of both engines. */
const MAX_ORDER = 1_000_000

const title = z
  .string({ error: 'Announcement title is required' })
  .trim()
  .min(1, { error: 'Announcement title is required' })
  .max(120, { error: 'Announcement title is too long' })
const content = z
  .string({ error: 'Announcement content is required' })
  .trim()
  .min(1, { error: 'Announcement content is required' })
  .max(MAX_CONTENT, { error: 'Announcement content is too long' })

/** A change replaces all of it (contract.md 3.5); `false` is honoured (W39). */
const body = z.object({
  title,
  content,
  enabled: z.boolean().nullish(),
  sort_order: z.int().min(-MAX_ORDER).max(MAX_ORDER).nullish(),
})

export const listPublicAnnouncements = endpoint({
  method: 'GET',
  path: '/api/public/announcements',
  access: 'public',
  summary: 'Announcements that are switched on, in their order',
  response: z.array(announcementWire),
})
export const listAnnouncements = endpoint({
  method: 'GET',
  path: '/api/announcements',
  access: 'support',
  summary: 'All announcements, in their order',
  query: pageQuery,
  response: listSchema(announcementWire),
})
export const createAnnouncement = endpoint({
  method: 'POST',
  path: '/api/announcements',
  access: 'admin',
  summary: 'Makes an announcement',
  body,
  response: announcementWire,
})
export const updateAnnouncement = endpoint({
  method: 'PUT',
  path: '/api/announcements/:id',
  access: 'admin',
  summary: 'Replaces an announcement',
  params: idParams('Invalid announcement id'),
  body,
  response: announcementWire,
})
export const deleteAnnouncement = endpoint({
  method: 'DELETE',
  path: '/api/announcements/:id',
  access: 'admin',
  summary: 'Deletes an announcement',
  params: idParams('Invalid announcement id'),
  response: messageAnswer,
})
