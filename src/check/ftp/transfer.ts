import type { Socket } from 'node:net'
import { MOST_BYTES } from '../receive/receive.ts'

/** What came over a data connection. */
export interface Transfer {
  readonly content: Buffer
  /** There was more, which was not waited for. */
  readonly isCut: boolean
}

/**
 * Reads a data connection to its end, or as much of it as is ever looked at; then it is closed.
 *
 * @throws the socket's error
 */
export function receiveAll(socket: Socket): Promise<Transfer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const end = (isCut: boolean): void => {
      resolve({ content: Buffer.concat(chunks).subarray(0, MOST_BYTES), isCut })
      socket.destroy()
    }
    socket.on('error', reject)
    socket.on('end', () => end(false))
    socket.on('close', () => end(false))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > MOST_BYTES) end(true)
    })
  })
}
