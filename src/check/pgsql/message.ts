/**
 * Whether every text of a message ends within it (PostgreSQL manual, Message Formats). The driver looks for the zero at
 * the end of a text without looking for the end of the message, and would look for ever (seen with pg-protocol 1.16).
 */
export function isWellFormed(message: Buffer): boolean {
  const body = message.subarray(5)
  switch (message.toString('latin1', 0, 1)) {
    case 'E':
    case 'N':
      return hasFields(body)
    case 'S':
      return skipTexts(body, 0, 2) !== undefined
    case 'A':
      return skipTexts(body, 4, 2) !== undefined
    case 'C':
      return skipTexts(body, 0, 1) !== undefined
    case 'T':
      return hasColumns(body)
    case 'R':
      return body.length >= 4 && (body.readInt32BE(0) !== 10 || hasMechanisms(body))
    default:
      return true
  }
}

/** The place behind so many texts that each end with a zero. */
function skipTexts(body: Buffer, from: number, count: number): number | undefined {
  let at = from
  for (let i = 0; i < count; i++) {
    const end = at < body.length ? body.indexOf(0, at) : -1
    if (end < 0) return undefined
    at = end + 1
  }
  return at
}

/** A letter and a text each, and a zero in place of another letter. */
function hasFields(body: Buffer): boolean {
  let at: number | undefined = 0
  while (at !== undefined && at < body.length) {
    if (body[at] === 0) return true
    at = skipTexts(body, at + 1, 1)
  }
  return false
}

/** A count, and for each column its name and 18 bytes. */
function hasColumns(body: Buffer): boolean {
  if (body.length < 2) return false
  let at: number | undefined = 2
  for (let left = body.readInt16BE(0); left > 0 && at !== undefined; left--) {
    at = skipTexts(body, at, 1)
    if (at !== undefined) at += 18
  }
  return at !== undefined && at <= body.length
}

/** Names of ways to log in, and an empty one. */
function hasMechanisms(body: Buffer): boolean {
  let at: number | undefined = 4
  while (at !== undefined && at < body.length) {
    if (body[at] === 0) return true
    at = skipTexts(body, at, 1)
  }
  return false
}
