/** Bytes taken of a request or an answer: four times what is kept, because media are cut out of it first. */
export const MAX_TAKEN_BYTES = 262_144

const decoder = new TextDecoder()

/** What one side of a call said, as far as it was taken. */
export interface Side {
  text: string
  /** Bytes of the whole. */
  bytes: number
}

/** Takes down one call on its way through: the request as it came, the answer as it leaves. */
export class PayloadRecord {
  readonly requestId: string
  request: Side | undefined
  readonly answer: Side = { text: '', bytes: 0 }
  readonly #done: (record: PayloadRecord) => void
  /** Of the answer: a character may be cut in two between its pieces. */
  readonly #decoder = new TextDecoder()

  /** @param done called once, with the end of the answer */
  constructor(requestId: string, done: (record: PayloadRecord) => void) {
    this.requestId = requestId
    this.#done = done
  }

  /** The body as the client sent it. */
  asked(bytes: Uint8Array): void {
    const isJson = /^\s*[[{]/.test(decoder.decode(bytes.subarray(0, 64)))
    this.request = { text: isJson ? decoder.decode(bytes.subarray(0, MAX_TAKEN_BYTES)) : '[no JSON]', bytes: bytes.length }
  }

  /** Passes the answer on and takes it down as it goes by. */
  async answered(response: Response): Promise<Response> {
    if (this.request === undefined) return response
    const { status, headers } = response
    const type = headers.get('content-type') ?? ''
    if (type.includes('text/event-stream') && response.body) return new Response(this.#tapped(response.body), { status, headers })
    if (!type.includes('json') || !response.body) {
      this.answer.text = `[${type}]`
      this.#done(this)
      return response
    }
    const bytes = await response.bytes()
    this.#take(bytes)
    this.#done(this)
    return new Response(bytes, { status, headers })
  }

  #take(bytes: Uint8Array): void {
    const room = MAX_TAKEN_BYTES - this.answer.bytes
    if (room > 0) this.answer.text += this.#decoder.decode(bytes.subarray(0, room), { stream: true })
    this.answer.bytes += bytes.length
  }

  /** As pull-based as what it stands before: a client that stops reading stops the upstream. */
  #tapped(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            this.#done(this)
            return
          }
          this.#take(value)
          controller.enqueue(value)
        },
        cancel: async (reason) => {
          await reader.cancel(reason)
          this.#done(this)
        },
      },
      { highWaterMark: 0 },
    )
  }
}
