/**
 * The LOGIN command in pieces, each on a line of its own; after each but the last the server has to say `+` first.
 * What a quoted string may not hold (RFC 3501 section 4.3) goes as a literal: its length, then the text itself.
 */
export function loginLines(login: string, passwd: string): readonly string[] {
  const lines: string[] = []
  let last = 'LOGIN'
  for (const text of [login, passwd]) {
    if (/^[\x20-\x7e]*$/.test(text)) last += ` "${escaped(text)}"`
    else {
      lines.push(`${last} {${Buffer.byteLength(text)}}`)
      last = text
    }
  }
  return [...lines, last]
}

/** As it stands within a quoted string. */
export function escaped(text: string): string {
  return text.replace(/["\\]/g, '\\$&')
}
