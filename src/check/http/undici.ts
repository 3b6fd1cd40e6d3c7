import type { Socket } from 'node:net'
import { codeOf, messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import { version } from '../../lib/version.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'
import { type HttpReply, type HttpRequest, UnreadableReplyError } from './reply.ts'

export const userAgent = `ldirectord-ng/${version}`

/**
 * Never so much is unread: our own bound ends the reading before. undici must not pause its parser, for when the
 * connection is reset while it is paused, an assertion of its own ends the process (seen with 7.30).
 */
const NEVER_PAUSE = 1 << 26

/**
 * One exchange through undici's own parser, over a connection that is open already: undici ignores a signal while it
 * connects (nodejs/undici#386), and its own time-outs are late. Nor does it get the signal afterwards: the connection
 * has it and fails with its reason; both together end in an assertion of undici's (7.30) as well.
 *
 * @throws ClosedError, Failure, UnreadableReplyError, or the system error of the connection
 */
export async function exchange(socket: Socket, request: HttpRequest): Promise<HttpReply> {
  // on first use: whoever checks no web server need not load it
  // `default`: of a CommonJS package, the one name that it has as it lies and in the bundle of the package alike
  const { Client } = (await import('undici')).default
  // undici ends such a connection; Perl's library takes what has come for the reply
  if (socket.readableLength > 0) {
    socket.destroy()
    throw new UnreadableReplyError('it answers before it was asked')
  }
  let given = false
  // The URL is only a name here: Host is a header of its own, and the connection may be a TLS one.
  const client = new Client('http://real.invalid', {
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_options, callback) => {
      const first = !given
      given = true
      // a call before this function returns would never be heard
      setImmediate(() => (first && !socket.destroyed ? callback(null, socket) : callback(endOf(socket), null)))
    },
  })
  const close = (): void => {
    client.destroy().catch(() => undefined)
    socket.destroy()
  }
  try {
    const { method, path, hostHeader: host } = request
    const headers = { host, 'user-agent': userAgent }
    const reply = await client.request({ method, path, headers, reset: true, highWaterMark: NEVER_PAUSE })
    reply.body.on('error', () => undefined)
    const { statusCode: status, headers: fields, statusText: text } = reply
    const location = Array.isArray(fields['location']) ? fields['location'][0] : fields['location']
    const statusText = `HTTP ${status} ${text}`.trimEnd()
    return { status, statusText, location, body: chunksOf(reply.body), close }
  } catch (error) {
    const end = socket.errored
    close()
    // the alert by which a server refuses us in TLS 1.3 comes after the handshake, and ends what undici calls closed
    throw meaningOf(end !== null && /^ERR_SSL_/.test(codeOf(end) ?? '') ? end : error)
  }
}

/** Why a connection is over that was open a moment ago. */
function endOf(socket: Socket): Error {
  return socket.errored ?? new ClosedError()
}

async function* chunksOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* body
  } catch (error) {
    throw meaningOf(error)
  }
}

/** undici's errors in our words; those of the system and of TLS go through. */
function meaningOf(error: unknown): unknown {
  const code = codeOf(error) ?? ''
  const text = messageOf(error)
  if (code === 'HPE_INVALID_EOF_STATE' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return new ClosedError()
  if (error instanceof Error && error.name === 'HTTPParserError') return new UnreadableReplyError(text)
  // what undici says to 100 Continue and to 101 that nobody asked for
  if (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(text)) return new UnreadableReplyError(text)
  if (code === 'UND_ERR_SOCKET') return new ClosedError()
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return new Failure('protocol', 'the reply has more headers than can be read')
  if (code === 'UND_ERR_INVALID_ARG') return new Failure('protocol', `the request cannot be sent: ${printable(text)}`)
  return error
}
