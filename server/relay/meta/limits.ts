/** Longest program: hundreds of branches fit. */
export const MAX_SOURCE_CHARS = 65_536
/** Actions inside actions, and parentheses inside parentheses: the parser recurses no deeper. */
export const MAX_DEPTH = 32
/** Actions and comparisons of one program: bounds what a call evaluates. */
export const MAX_NODES = 2_000
/** Calls of one `parallel` or `fallback`: each is a request upstream. */
export const MAX_CALLS_IN_BLOCK = 8
/** Inner calls one request may cause, unless `option max_calls` says less or more. */
export const DEFAULT_MAX_CALLS = 8
export const MAX_MAX_CALLS = 16
/** Wait for a classifier or for candidates, unless `option timeout_ms` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 60_000
export const MIN_TIMEOUT_MS = 100
export const MAX_TIMEOUT_MS = 600_000
/** It stands in every log row. */
export const MAX_LABEL_CHARS = 64
