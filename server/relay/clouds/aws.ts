import { AwsV4Signer } from 'aws4fetch'
import { eventStreamToSse } from './aws-events.ts'
import type { Cloud } from './index.ts'

/** `bedrock-runtime.<region>.amazonaws.com`, FIPS and China hosts included (AWS General Reference, Amazon Bedrock endpoints). */
const REGION_IN_HOST = /^bedrock-(?:runtime|mantle)(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/
/** The name requests to Bedrock's runtime are signed for. */
const SERVICE = 'bedrock'

/**
 * Amazon Bedrock. The key is a Bedrock API key, sent as bearer, or `<access key id>|<secret access key>[|<region>]`, by which each
 * request is signed (Signature Version 4). Binary event streams come back as server-sent events.
 */
export const toAws: Cloud = async (url, request, key, deps) => {
  const [accessKeyId = '', secretAccessKey, region = REGION_IN_HOST.exec(new URL(url).hostname)?.[1]] = key.split('|')
  if (secretAccessKey === undefined) {
    const headers = key === '' ? request.headers : { ...request.headers, authorization: `Bearer ${key}` }
    return inOwnFrames(await deps.fetch(url, { ...request, ...(headers && { headers }) }))
  }
  if (region === undefined)
    return Response.json({ message: 'The region is missing: write the key as <access key id>|<secret>|<region>' }, { status: 401 })
  const signer = new AwsV4Signer({
    method: request.method ?? 'GET',
    url,
    headers: request.headers ?? {},
    body: request.body as string | undefined,
    accessKeyId,
    secretAccessKey,
    region,
    service: SERVICE,
    datetime: new Date(deps.clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  })
  const signed = await signer.sign()
  return inOwnFrames(await deps.fetch(signed.url.toString(), { ...request, headers: Object.fromEntries(signed.headers) }))
}

function inOwnFrames(response: Response): Response {
  const isBinary = response.headers.get('content-type')?.startsWith('application/vnd.amazon.eventstream') === true
  if (!isBinary || !response.body) return response
  return new Response(eventStreamToSse(response.body), { status: response.status, headers: { 'content-type': 'text/event-stream' } })
}
