/** Tokens a classifier may answer with: a word, and some thinking before it. */
export const JUDGE_OUTPUT = 256
/** Characters of the conversation a classifier reads: its end says what is asked now. */
export const JUDGE_CHARS = 12_000
/** Tokens those and the prompt have at most, in scripts where a character is about one. */
export const JUDGE_INPUT = 16_000
/** A customer waits for a classifier before anything else happens: whatever the program's own time-out, not longer. */
export const MAX_JUDGE_MS = 30_000
/** Judgements remembered, some hundred bytes each. */
export const MAX_JUDGEMENTS = 10_000
/** As long as upstreams keep a conversation's prompt: going to the other model later loses nothing. */
export const JUDGEMENT_LIFETIME_MS = 3_600_000
/** Characters of one draft the synthesizer gets: what a long answer has. */
export const MAX_DRAFT_CHARS = 100_000
