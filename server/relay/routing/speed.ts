/** Weight of the newest call: what is shown is that of some ten. */
const NEWEST = 0.2
/** An answer of this length is what speeds are compared by: a paragraph or a tool call. */
const USUAL_TOKENS = 200
/** A measure older than this says little of now: the candidate is tried once more. */
const STALE_MS = 60_000
/** Fewer tokens measure the network, not the model. */
const MIN_TOKENS = 16

/** How fast one model answers on one channel, smoothed over its calls. */
export class Speed {
  firstTokenMs: number | undefined
  tokensPerSecond: number | undefined
  /** Until then it need not be measured again; 0: never was. */
  freshUntilMs = 0

  #streamed = false

  /** It began to answer. A whole answer has no first token: its time stands for one only while no stream was measured. */
  first(ms: number, nowMs: number, streamed: boolean): void {
    if (!streamed && this.#streamed) return
    const anew = this.firstTokenMs === undefined || streamed !== this.#streamed
    this.#streamed = streamed
    this.firstTokenMs = anew || this.firstTokenMs === undefined ? ms : this.firstTokenMs + (ms - this.firstTokenMs) * NEWEST
    this.freshUntilMs = nowMs + STALE_MS
  }

  /** The rest came. */
  rest(tokens: number, ms: number): void {
    if (tokens < MIN_TOKENS || ms <= 0) return
    const rate = (tokens * 1000) / ms
    this.tokensPerSecond = this.tokensPerSecond === undefined ? rate : this.tokensPerSecond + (rate - this.tokensPerSecond) * NEWEST
  }

  /** A call is on its way: until it answered, or for as long as a measure holds, nobody else tries it only to measure. */
  begin(nowMs: number): void {
    if (nowMs >= this.freshUntilMs) this.freshUntilMs = nowMs + STALE_MS
  }

  /** Milliseconds until a usual answer is whole. 0: not measured, or too long ago, so one call is to find out; infinite: it is finding out. */
  expectedMs(nowMs: number): number {
    if (nowMs >= this.freshUntilMs) return 0
    if (this.firstTokenMs === undefined) return Infinity
    return this.firstTokenMs + (this.tokensPerSecond === undefined ? 0 : (USUAL_TOKENS * 1000) / this.tokensPerSecond)
  }
}
