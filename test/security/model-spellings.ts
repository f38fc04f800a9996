/** Ways to ask for a model that a key may not use, for readers that do not agree about what is asked. */
export const ALLOWED = 'allowed-model'
export const FORBIDDEN = 'forbidden-model'

const F = FORBIDDEN
const A = ALLOWED

/** Names that some reader takes for the forbidden one. */
export const NAMES: readonly string[] = [
  F,
  `models/${F}`,
  `models/models/${F}`,
  `MODELS/${F}`,
  `tunedModels/${F}`,
  `publishers/google/models/${F}`,
  ` ${F}`,
  `${F} `,
  `\t${F}\n`,
  `models/ ${F}`,
  ` models/${F}`,
  `${F}.`,
  `${F}/`,
  `/${F}`,
  `//${F}`,
  `./${F}`,
  `../${F}`,
  `..;/${F}`,
  `${A}/../${F}`,
  `${A}/..;/${F}`,
  `${A}/./../${F}`,
  `${A}//../${F}`,
  `${A}%2f..%2f${F}`,
  `${A}%2F..%2F${F}`,
  `${A}%252f..%252f${F}`,
  `${A}\\..\\${F}`,
  F.replace('-', '%2d'),
  F.replace('-', '%252d'),
  F.replace('f', '%66'),
  `${F}%00`,
  `${F}\0`,
  `${F}\0${A}`,
  `${A}\0${F}`,
  `${A}\n${F}`,
  `${A},${F}`,
  `${A};${F}`,
  `${A}|${F}`,
  F.toUpperCase(),
  'Forbidden-Model',
  F.replace('f', 'ｆ'),
  F.replace('i', 'ı'),
  `${F}\u200b`,
  `\ufeff${F}`,
  F.replace('-', '\u2011'),
  F.normalize('NFD').replace('o', 'o\u0301'),
  `${F}:generateContent`,
  `${F}?x=${A}`,
  `${F}#${A}`,
  `${A}?model=${F}`,
  `${A}#${F}`,
  `${A}:generateContent?x=${F}`,
  `${F}@latest`,
  '*',
  `${A}*`,
]

/** Members that say two things of the model, as JSON text without the rest; the second place is for what a call needs besides. */
export const MEMBERS: readonly ((rest: string) => string)[] = [
  (rest) => `{"model":"${F}",${rest},"model":"${A}"}`,
  (rest) => `{"model":"${A}",${rest},"model":"${F}"}`,
  (rest) => `{"\\u006dodel":"${F}",${rest},"model":"${A}"}`,
  (rest) => `{"model":"${F}",${rest},"\\u006dodel":"${A}"}`,
  (rest) => `{"model":"${F}","x":"\\"]}",${rest},"mod\\u0065l":"${A}"}`,
  (rest) => `{"Model":"${F}",${rest},"model":"${A}"}`,
  (rest) => `{"model":"${A}",${rest},"MODEL":"${F}"}`,
  (rest) => `{"model":"${A}",${rest},"mo\\u0044el":"${F}"}`,
  (rest) => `{"model":["${A}","${F}"],${rest}}`,
  (rest) => `{"model":{"id":"${F}"},${rest}}`,
  (rest) => `{"model":null,"Model":"${F}",${rest}}`,
  (rest) => `{"__proto__":{"model":"${F}"},${rest}}`,
]

/** The same for what stands in a path before `:action`; bytes as they are sent. */
export const PATHS: readonly string[] = [
  ...NAMES.filter((name) => !/[\0\s]/.test(name) && !/[^ -~]/.test(name) && !/[?#]/.test(name)),
  ...NAMES.map((name) => encodeURIComponent(name)),
  ...NAMES.slice(0, 30).map((name) => encodeURIComponent(encodeURIComponent(name))),
  `${A}/%2e%2e/${F}`,
  `${A}/%2E./${F}`,
  `${A}%5c..%5c${F}`,
  `%2e/${F}`,
  `${F}%c0%af`,
  `${F}%ff`,
  `${A}:generateContent/../${F}`,
  `${A}:generateContent%2f..%2f${F}`,
  `${A}:generateContent/..;/${F}`,
  `${A}:x/${F}`,
]

interface Field {
  /** The disposition's parameters, after `form-data; `. */
  named: string
  value: string
}

/** Forms that say two things of the model. */
export const FORMS: readonly { fields: readonly Field[]; boundary?: string }[] = [
  { fields: [field('model', F)] },
  { fields: [field('model', F), field('model', A)] },
  { fields: [field('model', A), field('model', F)] },
  { fields: [field('model[]', F), field('model', A)] },
  { fields: [field('model', A), field('model[]', F)] },
  { fields: [field('Model', F), field('model', A)] },
  { fields: [field('model', A), field('MODEL', F)] },
  { fields: [{ named: 'name="model"; filename="x"', value: F }, field('model', A)] },
  { fields: [field('model', A), { named: 'name="model"; filename="x"', value: F }] },
  { fields: [{ named: 'name="x"; name="model"', value: F }, field('model', A)] },
  { fields: [{ named: 'name="model"; name="x"', value: F }, field('model', A)] },
  { fields: [{ named: `name="x"; name*=utf-8''model`, value: F }, field('model', A)] },
  { fields: [{ named: 'name=model', value: F }, field('model', A)] },
  { fields: [{ named: 'name="m\\odel"', value: F }, field('model', A)] },
  { fields: [field('model', A)], boundary: 'boundary=other; boundary=mark' },
  { fields: [field('model', A)], boundary: 'boundary=mark; boundary=other' },
]

function field(name: string, value: string): Field {
  return { named: `name="${name}"`, value }
}

/** A form with a small file; where two marks are told of, the other one's parts ask for the forbidden model. */
export function formOf({ fields, boundary = 'boundary=mark' }: (typeof FORMS)[number]): { contentType: string; body: string } {
  const part = (mark: string, { named, value }: Field): string =>
    `--${mark}\r\nContent-Disposition: form-data; ${named}\r\n\r\n${value}\r\n`
  const file = { named: 'name="file"; filename="a.wav"\r\nContent-Type: audio/wav', value: 'RIFF' }
  const other = boundary === 'boundary=mark' ? '' : `${part('other', { named: 'name="model"', value: F })}--other--\r\n`
  const all = [...fields, { named: 'name="prompt"', value: 'A cat' }, file, { ...file, named: file.named.replace('file', 'image') }]
  return {
    contentType: `multipart/form-data; ${boundary}`,
    body: `${other}${all.map((each) => part('mark', each)).join('')}--mark--\r\n`,
  }
}
