import { request } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { codeOf, messageOf, OperatorError } from '../lib/errors.ts'

/** Nobody listens on the control socket: no daemon, or one whose socket was taken away. */
export class NoDaemonError extends OperatorError {}

export interface Ask {
  readonly method: 'GET' | 'POST'
  /** With version and query. */
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status: number
  /** Parsed JSON. */
  readonly body: unknown
}

export interface ClientOptions {
  readonly clock: Clock
  readonly socket: string
  /** For the whole exchange; a reload waits for name servers and a pass over the table. */
  readonly withinMs?: number
}

const longestAnswer = 256 * 1024 * 1024

/** One exchange with the daemon. Rejects with NoDaemonError, or OperatorError when the socket may not be used or is silent. */
export async function askDaemon({ clock, socket, withinMs = 60_000 }: ClientOptions, ask: Ask): Promise<Answer> {
  try {
    return await withDeadline({ clock, ms: withinMs }, (signal) => exchange(socket, ask, signal))
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') {
      throw new NoDaemonError(`no daemon answers on ${socket}`, { cause: error })
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new OperatorError(`${socket} may not be used by this account`, { cause: error })
    }
    throw new OperatorError(`the daemon on ${socket} did not answer: ${messageOf(error)}`, { cause: error })
  }
}

function exchange(socketPath: string, { method, path, body }: Ask, signal: AbortSignal): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        parts.push(part)
        if (length > longestAnswer) sent.destroy(new Error('the answer has no end'))
      })
      response.on('error', reject)
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString('utf8')) })
        } catch (error) {
          reject(error)
        }
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}
