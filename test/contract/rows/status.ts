import type { TestApp } from '../../app.ts'
import { object, time } from '../fits.ts'
import { message, monitor, publicMonitor, statusCheck } from '../shapes.ts'
import type { Ask, Params, Table } from '../table.ts'

/** Status monitors and the public status (contract.md 3.2, 3.5). */

const TARGET = { name: 'API', target_url: 'http://127.0.0.1:9/health', interval_seconds: 86_400 }

async function prepare(app: TestApp): Promise<Params> {
  const make = async (body: object): Promise<number> => (await app.api<{ id: number }>('POST', '/api/status-monitors', body)).body.id
  const used = await make(TARGET)
  await app.api('POST', `/api/status-monitors/${used}/check`)
  return { used, doomed: await make({ ...TARGET, name: 'doomed', enabled: false }) }
}

const notAnId: Ask = { params: { id: 'x' }, error: 'Invalid status monitor id' }
const written: Ask[] = [
  { params: { id: 'used' }, body: { target_url: 'http://127.0.0.1:9/' }, error: 'Name is required' },
  { params: { id: 'used' }, body: { name: 'x', target_url: ' ' }, error: 'Target URL is required' },
  { params: { id: 'used' }, body: { name: 'x', target_url: 'ftp://up.example' }, error: 'Unsafe or invalid target URL' },
  { params: { id: 'used' }, body: { name: 'x', target_url: 'nowhere', check_type: 'tcp' }, error: 'Unsafe or invalid target URL' },
  { params: { id: 'used' }, body: { name: 'x', target_url: 'http://10.0.0.1/' }, error: 'Unsafe or invalid target URL' },
]
const fresh = { ...monitor, last_status: 'pending', last_checked_at: null, recent_checks: null }

export const status: Table = {
  name: 'status',
  settings: { status_monitor_enabled: true, ssrf_allowed_hosts: '127.0.0.1' },
  prepare,
  rows: [
    {
      at: 'GET /api/public/status',
      access: 'public',
      asks: [
        { gives: object({ enabled: true, generated_at: time, monitors: [{ ...publicMonitor, name: 'API', status: 'down' }] }) },
        { settings: { status_monitor_enabled: false }, status: 404, error: 'Not found' },
      ],
    },
    { at: 'GET /api/status-monitors', access: 'support', asks: [{ gives: [monitor] }] },
    {
      at: 'POST /api/status-monitors',
      access: 'admin',
      asks: [
        {
          body: { name: ' db ', target_url: '127.0.0.1:5432', check_type: 'tcp', interval_seconds: 5, retention_hours: 0, enabled: false },
          gives: { ...fresh, name: 'db', check_type: 'tcp', interval_seconds: 10, retention_hours: 1, enabled: false, method: 'GET' },
        },
        {
          body: { name: 'web', target_url: 'https://up.example.test/', check_type: 'other', method: 'HEAD' },
          gives: { ...fresh, check_type: 'http', method: 'HEAD', interval_seconds: 60, retention_hours: 168, enabled: true },
        },
        ...written,
      ],
    },
    {
      at: 'PUT /api/status-monitors/:id',
      access: 'admin',
      asks: [
        { params: { id: 'doomed' }, body: { ...TARGET, name: 'b' }, gives: { ...monitor, name: 'b', enabled: false } },
        { params: { id: 'used' }, body: { name: 'c', target_url: TARGET.target_url }, gives: { ...monitor, interval_seconds: 60 } },
        { body: TARGET, status: 404, error: 'Status monitor not found' },
        { ...notAnId, body: TARGET },
        ...written,
      ],
    },
    {
      at: 'POST /api/status-monitors/:id/check',
      access: 'admin',
      asks: [
        { params: { id: 'used' }, gives: { ...statusCheck, status: 'down' } },
        { status: 404, error: 'Status monitor not found' },
        notAnId,
      ],
    },
    {
      at: 'DELETE /api/status-monitors/:id',
      access: 'admin',
      asks: [{ params: { id: 'doomed' }, gives: message('Status monitor deleted') }, { gives: message('Status monitor deleted') }, notAnId],
    },
  ],
}
