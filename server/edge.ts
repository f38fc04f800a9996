import { AppError } from '../contract/errors.ts'
import { readable } from './http/cors.ts'
import { isTls, secure, secureData } from './http/security.ts'

/** An answer of the gateway with the headers that every one has; a page of another site may read it. */
export function gatewayAnswer(response: Response, { url, headers }: Request): Response {
  secureData(response.headers, isTls(url, headers))
  if (headers.has('origin')) readable(response.headers)
  return response
}

/** The answer to a request whose Host cannot be one: nothing else of it is looked at. */
export function misdirected({ url, headers }: Request, requestId: string): Response {
  const { code, message, status } = new AppError('bad_host')
  const response = Response.json(
    { error: message, code, request_id: requestId },
    { status, headers: { 'x-tollgate-request-id': requestId } },
  )
  secure(response.headers, isTls(url, headers))
  return response
}
