import { Failure } from '../failure.ts'
import { type Hidden, type Lines, quoted } from '../lines.ts'

/** One answer of POP3 (RFC 1939 section 3). */
export interface Answer {
  readonly isOk: boolean
  /** The text after `+OK`, as it came. */
  readonly text: string
  /** The whole line, printable. */
  readonly shown: string
}

/** @throws Failure `protocol` for what is no answer */
export async function readAnswer(lines: Lines, hidden?: Hidden): Promise<Answer> {
  const line = await lines.readLine()
  const [, sign, text = ''] = /^(\+OK|-ERR)(?: (.*))?$/is.exec(line) ?? []
  if (sign === undefined) throw new Failure('protocol', `no answer: ${quoted(line, hidden)}`)
  return { isOk: sign.startsWith('+'), text, shown: quoted(line, hidden) }
}

export function command(lines: Lines, text: string, hidden?: Hidden): Promise<Answer> {
  lines.write(text)
  return readAnswer(lines, hidden)
}

/** What the server can do (RFC 2449), in capitals; nothing where it does not know the question. */
export async function capabilities(lines: Lines): Promise<readonly string[]> {
  lines.enter('waiting for the capabilities')
  const found: string[] = []
  if (!(await command(lines, 'CAPA')).isOk) return found
  for (;;) {
    const line = await lines.readLine()
    if (line === '.') return found
    found.push(line.toUpperCase())
  }
}
