import { Failure } from '../failure.ts'
import { type Hidden, type Lines, quoted } from '../lines.ts'

/** The server's final word on a command (RFC 3501 section 7.1). */
export interface Tagged {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** Status and text, printable. */
  readonly shown: string
  /** What an untagged CAPABILITY or the code of the answer told on the way, in capitals; undefined when nothing did. */
  readonly capabilities: readonly string[] | undefined
}

export interface Command {
  readonly tag: string
  /** The pieces of one command; after each but the last the server says `+`. */
  readonly pieces: readonly string[]
  /** Never shown, also where the server repeats it. */
  readonly hidden?: Hidden
}

/** @throws Failure `protocol` for BYE and for what is no answer */
export async function command(lines: Lines, { tag, pieces, hidden }: Command): Promise<Tagged> {
  const [first = '', ...more] = pieces
  lines.write(`${tag} ${first}`)
  let capabilities: readonly string[] | undefined
  for (;;) {
    const line = await lines.readLine()
    capabilities = capabilitiesIn(line) ?? capabilities
    const [, status] = new RegExp(`^${tag} (OK|NO|BAD)(?: |$)`, 'i').exec(line) ?? []
    if (status !== undefined) {
      const shown = quoted(line.slice(tag.length + 1), hidden)
      return { status: status.toUpperCase() as Tagged['status'], shown, capabilities }
    }
    const next = line.startsWith('+') ? more.shift() : undefined
    if (next !== undefined) lines.write(next)
    else if (!line.startsWith('* ') || /^\* BYE\b/i.test(line)) {
      throw new Failure('protocol', `the server said ${quoted(line, hidden)}`)
    }
  }
}

/** `* CAPABILITY IMAP4rev1 …` or `… OK [CAPABILITY IMAP4rev1 …] text`. */
export function capabilitiesIn(line: string): readonly string[] | undefined {
  const [, bare, inCode] = /^\* CAPABILITY (.*)$|^\S+ (?:OK|PREAUTH) \[CAPABILITY ([^\]]*)\]/i.exec(line) ?? []
  return (bare ?? inCode)?.toUpperCase().split(' ')
}
