/**
 * Reads a body up to `limit` bytes after decompression, whatever its headers claim.
 * @returns undefined when it is larger; the rest is not read
 */
export async function readBounded(response: Response, limit: number): Promise<Uint8Array | undefined> {
  const claimed = Number(response.headers.get('content-length'))
  // An honest short length without compression: read at once.
  if (claimed > 0 && claimed <= limit && response.headers.get('content-encoding') === null) return response.bytes()
  if (!response.body) return new Uint8Array()
  const parts: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(parts)
    size += value.byteLength
    if (size > limit) {
      await reader.cancel()
      return undefined
    }
    parts.push(value)
  }
}
