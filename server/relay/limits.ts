/** Largest answer read into memory: an image answer as base64 reaches tens of megabytes (W103). */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** Largest error body read; its beginning is enough to say what is wrong. */
export const MAX_ERROR_BYTES = 256 * 1024
/** Output tokens held for when neither the client nor the model names a ceiling. */
export const DEFAULT_MAX_OUTPUT = 4_096
/** A hold lives at most this long beyond the stream's own time-outs before a sweeper may look at it. */
export const HOLD_LIFETIME_MS = 6 * 60 * 60 * 1000
/** Silence after which a waiting client gets a comment or ping, so that proxies in between keep the connection. */
export const KEEP_ALIVE_MS = 12_000
/** Channels one call may be tried on. */
export const MAX_ATTEMPTS = 5
/** All tries of a call together may wait for a first byte this many times as long as one: official clients give up after ten minutes. */
export const TOTAL_FIRST_BYTE_LIMITS = 3
/** What a stream may say before its first content; more is delivered as it comes. */
export const MAX_PRELUDE_BYTES = 256 * 1024
