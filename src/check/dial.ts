import { connect, type Socket } from 'node:net'

/** Where a TCP connection goes: a literal address, never a name. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** How far a probe has got, for the text of a time-out. Whoever works on it keeps it up to date. */
export interface Progress {
  phase: string
}

/**
 * Opens a TCP connection. The signal destroys the socket in every phase, also long after it has connected.
 *
 * @throws the signal's reason, or the system error (`ECONNREFUSED` …) of the connection
 */
export async function dial(to: Endpoint, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  if (to.port < 1 || to.port > 65535) throw new NoPortError()
  const socket = connect({ host: to.address, port: to.port, noDelay: true })
  destroyOnAbort(socket, signal)
  try {
    await opened(socket, 'connect', signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** The real server has no port, its virtual none and the check no default: there is nothing to connect to. */
export class NoPortError extends Error {
  override readonly name = 'NoPortError'

  constructor() {
    super('no port to check: give the real server a port, or checkport')
  }
}

/** Resolves at `event`; rejects with the signal's reason, or when the socket fails or closes before it. */
export function opened(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.off(event, onOpen)
      socket.off('error', onError)
      socket.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const onOpen = (): void => settle(resolve)
    const onError = (error: Error): void => settle(() => reject(error))
    // a TLS socket whose lower half was taken away closes before it hears of the reason
    const onClose = (): void => settle(() => reject(signal.aborted ? signal.reason : new ClosedError()))
    const onAbort = (): void => settle(() => reject(signal.reason))
    socket.on(event, onOpen)
    socket.on('error', onError)
    socket.on('close', onClose)
    signal.addEventListener('abort', onAbort)
  })
}

/** The peer ended the connection before it had said what it owed us. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError'

  constructor(message = 'the server closed the connection') {
    super(message)
  }
}

/**
 * The signal's reason becomes the socket's error: whoever reads from it must not take the end for an orderly one. From
 * here on an error of the socket is nobody's surprise; without a listener it would end the process.
 */
export function destroyOnAbort(socket: Socket, signal: AbortSignal): void {
  const onAbort = (): void => {
    socket.destroy(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', () => undefined)
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
}
