import { parentPort } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

parentPort?.on('message', ({ id, text }: { id: number; text: string }) => {
  // Text that looks like a special token is text here.
  parentPort?.postMessage({ id, tokens: countTokens(text, { disallowedSpecial: new Set() }) })
})
