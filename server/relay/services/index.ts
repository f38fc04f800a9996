import type { JsonObject } from '../../../contract/json.ts'
import { decoded, GEMINI, sse, type Ingress } from '../ingress.ts'
import { embeddedTexts } from '../protocols/gemini/index.ts'
import { protocols } from '../protocols/index.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { promptText, speech, spokenText, transcriptions, translations } from './audio.ts'
import { embedText, geminiEmbed } from './gemini-embed.ts'
import { edits, generations, pictureText, variations } from './images.ts'
import { peekOf } from './openai.ts'
import type { Service } from './service.ts'
import { embeddings, inputText, moderations, rerank, rerankText } from './texts.ts'

/** A protocol for what an operation's bodies say; its errors and names are the protocol's own. */
function speaking(protocol: Protocol, requestText: (body: JsonObject) => string, peek: Protocol['peek']): Protocol {
  return { ...protocol, peek, requestText }
}

function operation(endpoint: string, service: Service, text: (body: JsonObject) => string, ownModel?: string): Ingress {
  return { protocol: speaking(protocols['openai-chat'], text, peekOf(ownModel)), endpoint, path: {}, framer: sse, service }
}

/** OpenAI's operations that generate no text of a model. Adding one is a row here. */
const operations: Record<string, Ingress> = {
  '/v1/embeddings': operation('embeddings', embeddings, inputText),
  // The only one whose model OpenAI lets out; this is its default.
  '/v1/moderations': operation('moderations', moderations, inputText, 'omni-moderation-latest'),
  '/v1/rerank': operation('rerank', rerank, rerankText),
  '/v1/images/generations': operation('images.generations', generations, pictureText),
  '/v1/images/edits': operation('images.edits', edits, pictureText),
  '/v1/images/variations': operation('images.variations', variations, pictureText, 'dall-e-2'),
  '/v1/audio/speech': operation('audio.speech', speech, spokenText),
  '/v1/audio/transcriptions': operation('audio.transcriptions', transcriptions, promptText),
  '/v1/audio/translations': operation('audio.translations', translations, promptText),
}

/** Gemini's embeddings; what cannot be embedded is the caller's mistake before anything is counted. */
const embedding = speaking(protocols.gemini, embedText, (body, path) => {
  embeddedTexts(body)
  return protocols.gemini.peek(body, path)
})

/** Finds the service of a POST address, or undefined. */
export function serviceOf(url: URL): Ingress | undefined {
  const known = Object.hasOwn(operations, url.pathname) ? operations[url.pathname] : undefined
  if (known) return known
  const [, model, action] = GEMINI.exec(url.pathname) ?? []
  if (model === undefined || (action !== 'embedContent' && action !== 'batchEmbedContents')) return undefined
  return {
    protocol: embedding,
    endpoint: action,
    path: { model: decoded(model), action, query: url.searchParams },
    framer: sse,
    service: geminiEmbed,
  }
}
