import { decodeYesNo, makeField } from '../../lib/decode.ts'
import type { Field } from '../../lib/fields.ts'

/** Whether `request` of simpletcp may hold bytes by their number: a word of our own, as today's files mean them as text. */
export const escapes: Field<boolean> = makeField<boolean>({
  doc: 'With yes, `\\xNN`, `\\r`, `\\t`, `\\0` and `\\\\` in the request of simpletcp stand for bytes, as `\\n` always does.',
  fallback: 'no',
  absent: false,
  decode: (directive, report) => decodeYesNo(directive, report),
})

const named: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, '\\': 92 }
const byteEscape = /\\(?:x([0-9A-Fa-f]{2})|([nrt0\\]))/g

/** The bytes of a request. Without escapes each `\n` is a newline, also behind a backslash (behaviour reference 3.4). */
export function encodeRequest(text: string, withEscapes: boolean): Buffer {
  if (!withEscapes) return Buffer.from(text.replaceAll('\\n', '\n'))
  const parts: Buffer[] = []
  let at = 0
  for (const found of text.matchAll(byteEscape)) {
    const [whole, hex, letter = ''] = found
    const byte = hex === undefined ? (named[letter] ?? 0) : Number.parseInt(hex, 16)
    parts.push(Buffer.from(text.slice(at, found.index)), Buffer.from([byte]))
    at = found.index + whole.length
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(at))])
}

/** The first part of a request that escapes would change, undefined when there is none. */
export function unusedEscape(text: string): string | undefined {
  return /\\(?:x[0-9A-Fa-f]{2}|[rt0])/.exec(text)?.[0]
}
