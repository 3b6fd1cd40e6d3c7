import { Failure } from '../failure.ts'
import { type Lines, quoted } from '../lines.ts'

/** A reply of SMTP or NNTP: three digits and a text, for SMTP over several lines (RFC 5321 section 4.2.1). */
export interface Reply {
  readonly code: number
  /** Of each line, without the code. */
  readonly texts: readonly string[]
  /** Code and first text, printable. */
  readonly shown: string
}

/** @throws Failure `protocol` for what is no reply */
export async function readReply(lines: Lines): Promise<Reply> {
  const texts: string[] = []
  let first: string | undefined
  for (;;) {
    const line = await lines.readLine()
    const [, code, mark, text = ''] = /^([1-5]\d\d)(?:([ -])(.*))?$/s.exec(line) ?? []
    first ??= code
    if (code === undefined || code !== first) throw new Failure('protocol', `no reply: ${quoted(line)}`)
    texts.push(text)
    if (mark !== '-') return { code: Number(code), texts, shown: quoted(`${code} ${texts[0]}`.trimEnd()) }
  }
}

export function isGood({ code }: Reply): boolean {
  return code >= 200 && code <= 299
}
