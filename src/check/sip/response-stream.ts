import { printable } from '../../lib/printable.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'
import { isProvisional, type Response, readStatus } from './message.ts'

const mostBytes = 1 << 14

/**
 * Reads responses from a stream up to the first that is final. What follows its head is not waited for.
 *
 * @throws Failure when it is no SIP or has no end, ClosedError, what reading throws
 */
export async function readFinalResponse(
  stream: AsyncIterable<Buffer>,
  seen: (response: Response) => void,
): Promise<Response> {
  let text = ''
  let length = 0
  for await (const chunk of stream) {
    text += chunk.toString('latin1')
    length += chunk.length
    for (;;) {
      const message = cutHead(text)
      if (message === undefined) break
      const response = responseOf(message.head)
      seen(response)
      if (!isProvisional(response)) return response
      if (text.length < message.end) break
      text = text.slice(message.end)
    }
    if (length > mostBytes) throw new Failure('protocol', `no final reply in ${mostBytes} bytes`)
  }
  // Perl ldirectord takes the end of the stream for the end of the head
  const last = text.includes('\n') ? responseOf(text) : undefined
  if (last === undefined || isProvisional(last)) throw new ClosedError()
  return last
}

/** The head up to its empty line, and where the message ends; empty lines before it are skipped (RFC 3261 section 7.5). */
function cutHead(text: string): { head: string; end: number } | undefined {
  const start = /^(?:\r?\n)*/.exec(text)?.[0].length ?? 0
  const rest = text.slice(start)
  const blank = /\r?\n\r?\n/.exec(rest)
  if (blank === null) {
    // what greets like another protocol will not go on as SIP
    if (rest.includes('\n')) responseOf(rest)
    return undefined
  }
  const head = rest.slice(0, blank.index)
  const body = Number(/^(?:Content-Length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$/im.exec(head)?.[1] ?? 0)
  return { head, end: start + blank.index + blank[0].length + body }
}

function responseOf(head: string): Response {
  const response = readStatus(head)
  if (response === undefined) throw new Failure('protocol', `not a SIP response: "${printable(head, 80)}"`)
  return response
}
