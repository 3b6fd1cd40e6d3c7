import type { Socket } from 'node:net'
import { printable } from '../../lib/printable.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'

/** Length and the code 1234.5679, which no version of the protocol has (PostgreSQL manual, Message Formats, SSLRequest). */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * Asks whether the server will speak TLS. The socket is paused afterwards. True when the handshake may begin, false
 * when the server would rather not; where it answers with an error, that is left to be read, and false.
 *
 * @throws ClosedError, Failure, or the system error of the connection
 */
export async function asksForTls(socket: Socket): Promise<boolean> {
  const answer = await firstBytes(socket, () => socket.write(sslRequest))
  const letter = answer.toString('latin1', 0, 1)
  // what came before the handshake could have been put there by a third party, and would be taken for the server's
  if (answer.length === 1 && letter === 'S') return true
  if (answer.length === 1 && letter === 'N') return false
  if (letter === 'E') {
    socket.unshift(answer)
    return false
  }
  const seen = printable(answer.toString('latin1', 0, 40), 40)
  throw new Failure('protocol', `not PostgreSQL: "${seen}" to the question for TLS`)
}

function firstBytes(socket: Socket, ask: () => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.pause()
      socket.off('data', onData).off('error', onError).off('end', onEnd).off('close', onEnd)
      act()
    }
    const onData = (chunk: Buffer): void => settle(() => resolve(chunk))
    const onError = (error: Error): void => settle(() => reject(error))
    const onEnd = (): void => settle(() => reject(new ClosedError()))
    socket.on('data', onData).on('error', onError).on('end', onEnd).on('close', onEnd)
    ask()
  })
}
