import type { Key } from '../../i18n/en/index.ts'
import type { Tone } from '../../ui/badge.tsx'

/** How a call ended: its word, its colour, and the sentence saying whether and how it is billed. */
const ends: Readonly<Record<string, { word: Key; help: Key; tone: Tone }>> = {
  complete: { word: 'end.complete', help: 'end.complete.help', tone: 'good' },
  client_gone: { word: 'end.client_gone', help: 'end.client_gone.help', tone: 'warn' },
  upstream_error_before_content: { word: 'end.upstream_error_before_content', help: 'end.nothing.help', tone: 'bad' },
  upstream_error_after_content: { word: 'end.upstream_error_after_content', help: 'end.partly.help', tone: 'bad' },
  timeout_before_content: { word: 'end.timeout_before_content', help: 'end.nothing.help', tone: 'bad' },
  timeout_after_content: { word: 'end.timeout_after_content', help: 'end.partly.help', tone: 'bad' },
  content_blocked: { word: 'end.content_blocked', help: 'end.content_blocked.help', tone: 'warn' },
  refused_balance: { word: 'end.refused_balance', help: 'end.refused_balance.help', tone: 'warn' },
  shutdown: { word: 'end.shutdown', help: 'end.partly.help', tone: 'warn' },
  crashed: { word: 'end.crashed', help: 'end.crashed.help', tone: 'bad' },
}

/** Undefined for a word this build does not know: it is shown as it is. */
export function endWords(reason: string): { word: Key; help: Key; tone: Tone } | undefined {
  return ends[reason]
}

const sources: Readonly<Record<string, { word: Key; help: Key }>> = {
  upstream: { word: 'usage.upstream', help: 'usage.upstream.help' },
  estimated: { word: 'usage.estimated', help: 'usage.estimated.help' },
  counted: { word: 'usage.counted', help: 'usage.counted.help' },
  none: { word: 'usage.none', help: 'usage.none.help' },
}

/** Where the token counts came from; undefined for an unknown word. */
export function usageWords(source: string): { word: Key; help: Key } | undefined {
  return sources[source]
}

const meterKeys: Readonly<Record<string, Key>> = {
  input: 'meter.input',
  output: 'meter.output',
  cachedInput: 'meter.cachedInput',
  cacheWrite: 'meter.cacheWrite',
  cacheWrite1h: 'meter.cacheWrite1h',
  imageInput: 'meter.imageInput',
  imageOutput: 'meter.imageOutput',
  audioInput: 'meter.audioInput',
  audioOutput: 'meter.audioOutput',
  cached_input: 'meter.cachedInput',
  cache_write_input: 'meter.cacheWrite',
  cache_write_1h_input: 'meter.cacheWrite1h',
  image_input: 'meter.imageInput',
  image_output: 'meter.imageOutput',
  audio_input: 'meter.audioInput',
  audio_output: 'meter.audioOutput',
}

/** Name of a meter, in the table's own spelling or the wire's. */
export function meterWord(meter: string): Key | undefined {
  return meterKeys[meter]
}

const sourceKeys: Readonly<Record<string, Key>> = { group: 'multiplier.group', channel: 'multiplier.channel', model: 'multiplier.model' }

/** Where a group's multiplier was set. */
export function multiplierWord(source: string): Key | undefined {
  return sourceKeys[source]
}
