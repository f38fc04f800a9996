import { testChannel } from '../../../contract/api/channel-test.ts'
import { protocolOfType } from '../../../contract/channel-types.ts'
import { vendorOf } from '../../../contract/vendors.ts'
import { AppError } from '../../../contract/errors.ts'
import { openChannel, recordHealth, type ChannelAccess } from '../../features/channels/health.ts'
import { bind, type Call, type Route } from '../../http/bind.ts'
import type { Deps } from '../../http/deps.ts'
import { describeError } from '../../lib/log.ts'
import { formatFrame } from '../protocols/sse.ts'
import { probe } from './probe.ts'

/** `POST /api/channels/test`: the ticks of a test as they come. */
export function probeRoutes(deps: Deps): Route[] {
  return [
    bind(
      testChannel,
      async (call) =>
        new Response(events(call, await accessOf(call, deps), deps), {
          headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        }),
    ),
  ]
}

async function accessOf({ body }: Call<typeof testChannel>, deps: Deps): Promise<ChannelAccess> {
  if (body.channel_id !== undefined) return openChannel(deps, body.channel_id)
  if (!body.draft) throw new AppError('bad_request', { message: 'Give either channel_id or draft' })
  const { type, base_url: baseUrl, api_key: key } = body.draft
  return { protocol: protocolOfType(type), vendor: vendorOf(type, baseUrl), baseUrl, key }
}

function events({ body }: Call<typeof testChannel>, access: ChannelAccess, deps: Deps): ReadableStream<Uint8Array> {
  const steps = probe(access, body.models, body.timeout_ms, deps)
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await steps.next()
      if (done) return controller.close()
      controller.enqueue(encoder.encode(formatFrame({ event: value.event, data: JSON.stringify(value.data) })))
      if (value.event !== 'done' || body.channel_id === undefined) return
      await recordHealth(deps, body.channel_id, value.data.ok ? 'ok' : 'failed').catch((error: unknown) => {
        deps.log.error('the result of a channel test could not be kept', { channel_id: body.channel_id ?? 0, cause: describeError(error) })
      })
    },
    async cancel() {
      await steps.return(undefined)
    },
  })
}
