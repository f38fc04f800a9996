import type { AnnouncementWire } from '../../../contract/api/announcements.ts'
import { AppError } from '../../../contract/errors.ts'
import type { Deps } from '../../http/deps.ts'
import { isoTime } from '../../lib/clock.ts'
import { recordAudit } from '../audit/service.ts'
import type { Actor } from '../catalog/change.ts'
import {
  countAnnouncements,
  deleteAnnouncementRow,
  findAnnouncement,
  insertAnnouncement,
  selectAnnouncements,
  updateAnnouncementRow,
  type AnnouncementFields,
  type AnnouncementRow,
} from './store.ts'

interface Input {
  title: string
  content: string
  enabled?: boolean | null | undefined
  sort_order?: number | null | undefined
}

function wireOf(row: AnnouncementRow): AnnouncementWire {
  return { ...row, enabled: row.enabled === 1, created_at: isoTime(row.created_at), updated_at: isoTime(row.updated_at) }
}

/** Absent is switched on, at place 0 (contract.md 3.5). */
function fieldsOf({ title, content, enabled, sort_order }: Input): AnnouncementFields {
  return { title, content, enabled: enabled === false ? 0 : 1, sort_order: sort_order ?? 0 }
}

/** What visitors see. */
export async function publicAnnouncements(deps: Pick<Deps, 'db'>): Promise<AnnouncementWire[]> {
  return (await selectAnnouncements(deps.db.query, { enabledOnly: true })).map(wireOf)
}

/** All of them, or a page. */
export async function allAnnouncements(
  deps: Pick<Deps, 'db'>,
  page: { page: number; pageSize: number } | undefined,
): Promise<AnnouncementWire[] | { items: AnnouncementWire[]; total: number; page: number; page_size: number }> {
  const items = (await selectAnnouncements(deps.db.query, { page })).map(wireOf)
  return page ? { items, total: await countAnnouncements(deps.db.query), page: page.page, page_size: page.pageSize } : items
}

export async function createAnnouncement(deps: Pick<Deps, 'db' | 'clock'>, input: Input, actor: Actor): Promise<AnnouncementWire> {
  const now = deps.clock.now()
  return deps.db.query.transaction().execute(async (tx) => {
    const after = await insertAnnouncement(tx, fieldsOf(input), now)
    await recordAudit(tx, { ...about(actor, after.id, now), action: 'create', after: { ...after } })
    return wireOf(after)
  })
}

/** @throws AppError announcement_not_found */
export async function updateAnnouncement(
  deps: Pick<Deps, 'db' | 'clock'>,
  id: number,
  input: Input,
  actor: Actor,
): Promise<AnnouncementWire> {
  const now = deps.clock.now()
  return deps.db.query.transaction().execute(async (tx) => {
    const before = await findAnnouncement(tx, id)
    if (!before) throw new AppError('announcement_not_found')
    const after = await updateAnnouncementRow(tx, id, fieldsOf(input), now)
    await recordAudit(tx, { ...about(actor, id, now), action: 'update', before: { ...before }, after: { ...after } })
    return wireOf(after)
  })
}

/** Deletes an announcement; one that is gone already is fine. */
export async function deleteAnnouncement(deps: Pick<Deps, 'db' | 'clock'>, id: number, actor: Actor): Promise<void> {
  const now = deps.clock.now()
  await deps.db.query.transaction().execute(async (tx) => {
    const before = await findAnnouncement(tx, id)
    if (!before) return
    await deleteAnnouncementRow(tx, id)
    await recordAudit(tx, { ...about(actor, id, now), action: 'delete', before: { ...before } })
  })
}

function about(actor: Actor, objectId: number, now: number) {
  return { actorUserId: actor.userId, objectType: 'announcement', objectId, ip: actor.ip, now }
}
