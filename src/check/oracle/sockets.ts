import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { codeOf } from '../../lib/errors.ts'

/** A health query has a short answer. */
const mostBytes = 4 * 1024 * 1024

/** What the driver's connections come to: it opens them itself and shows them to nobody. */
export interface SocketsSeen {
  /** The first error of the last connection: `ECONNREFUSED` … */
  systemError(): string | undefined
  /** More came than any answer to a health query has. */
  isEndless(): boolean
  destroy(): void
}

export interface SocketsHeard {
  connected(address: string, port: number): void
}

let onSocket: (socket: Socket) => void = (socket) => socket.destroy()
let listens = false

/** From here to `destroy` every TCP connection of this thread belongs to the one session that runs in it. */
export function watchSockets({ connected }: SocketsHeard): SocketsSeen {
  if (!listens) subscribe('net.client.socket', (message) => onSocket(socketOf(message)))
  listens = true
  const sockets: Socket[] = []
  let error: string | undefined
  let bytes = 0
  onSocket = (socket) => {
    sockets.push(socket)
    error = undefined
    socket.once('error', (cause) => {
      error ??= codeOf(cause)
    })
    socket.once('connect', () => {
      connected(socket.remoteAddress ?? '', socket.remotePort ?? 0)
      // The driver takes all listeners away as soon as it has heard of the connection, and then adds its own.
      setImmediate(() => {
        socket.on('data', (chunk) => {
          bytes += chunk.length
          if (bytes > mostBytes) socket.destroy()
        })
      })
    })
  }
  return {
    systemError: () => error,
    isEndless: () => bytes > mostBytes,
    destroy: () => {
      onSocket = (socket) => socket.destroy()
      for (const socket of sockets) socket.on('error', () => undefined).destroy()
    },
  }
}

function socketOf(message: unknown): Socket {
  if (typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket) {
    return message.socket
  }
  throw new Error('net.client.socket names no socket')
}
