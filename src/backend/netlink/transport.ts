import type { RawNetlinkSocket } from 'netlink'
import { codeOf, messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import { TableError } from '../../table/operation.ts'
import { describeRefusal } from '../../table/refusal.ts'
import { netlinkGeneric } from './constants.ts'

/** The way to the kernel. Two functions, so that another library can take its place, and a script in tests. */
export interface Transport {
  /**
   * Sends one buffer, and hands over each datagram that comes until `take` says that it was the last. One exchange
   * at a time. Rejects with TableError: `ETIMEDOUT` without an answer, `ECANCELED` by the signal, the errno's name
   * when there is no socket to be had.
   */
  exchange(request: Buffer, take: (datagram: Buffer) => 'more' | 'last', signal: AbortSignal): Promise<void>
  close(): void
}

/**
 * The library reads with a buffer of this size; the kernel fills dumps up to it. Its own receive buffer must hold
 * every answer to a batch, for the library ends the process when the kernel drops one (dependencies, netlink 1-2).
 */
const readBytes = 32 * 1024
const receiveBufferBytes = 4 << 20
const sendBufferBytes = 1 << 20
/** A hundred answers at 768 bytes of budget each, with room to spare. */
const neededBufferBytes = 128 * 1024

interface Running {
  datagram(bytes: Buffer): void
  settle(error?: unknown): void
}

export function createNetlinkTransport(answerWithinMs: number): Transport {
  let socket: RawNetlinkSocket | undefined
  let running: Running | undefined
  let busy = false
  let closed = false

  const open = async (): Promise<RawNetlinkSocket> => {
    const opened = await openSocket()
    // A throw inside a listener of this library ends the process: these can only record.
    opened.on('message', (bytes) => guarded(() => running?.datagram(bytes)))
    opened.on('truncatedMessage', () => guarded(() => running?.settle(failure('EMSGSIZE', 'an answer was too long'))))
    opened.on('error', (error) => guarded(() => running?.settle(asFailure(error))))
    // An idle socket is no reason for the process to stay; a running exchange has its timer.
    opened.unref()
    return opened
  }
  const drop = (): void => {
    socket?.close()
    socket = undefined
  }

  const checkOpen = (signal: AbortSignal): void => {
    if (closed) throw failure('ECANCELED', 'the way to the kernel is closed')
    if (signal.aborted) throw failure('ECANCELED', 'cancelled', signal.reason)
  }
  const send = (own: RawNetlinkSocket, request: Buffer, run: Running): void => {
    running = run
    try {
      own.send(request, {}, (error) => guarded(() => error && run.settle(asFailure(error))))
    } catch (error) {
      run.settle(asFailure(error))
    }
  }

  return {
    exchange: async (request, take, signal) => {
      if (busy) throw new Error('one netlink exchange at a time')
      busy = true
      try {
        checkOpen(signal)
        socket ??= await open()
        const own = socket
        checkOpen(signal)
        await new Promise<void>((resolve, reject) => {
          send(own, request, createRun({ take, signal, answerWithinMs, resolve, reject }))
        })
      } catch (error) {
        // What the old socket may still have to say is of no use to the next exchange.
        drop()
        throw error
      } finally {
        running = undefined
        busy = false
      }
    },
    close: () => {
      closed = true
      running?.settle(failure('ECANCELED', 'the way to the kernel is closed'))
      if (!busy) drop()
    },
  }
}

interface RunOptions {
  readonly take: (datagram: Buffer) => 'more' | 'last'
  readonly signal: AbortSignal
  readonly answerWithinMs: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

function createRun({ take, signal, answerWithinMs, resolve, reject }: RunOptions): Running {
  let settled = false
  const settle = (error?: unknown): void => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    // Not from within a listener: what follows may close the socket, which the library does not survive there.
    setImmediate(() => (error === undefined ? resolve() : reject(error)))
  }
  const onAbort = (): void => settle(failure('ECANCELED', 'cancelled', signal.reason))
  const timer = setTimeout(() => settle(failure('ETIMEDOUT', describeRefusal('read', 'ETIMEDOUT'))), answerWithinMs)
  signal.addEventListener('abort', onAbort)
  return {
    settle,
    datagram: (bytes) => {
      if (settled) return
      timer.refresh()
      try {
        if (take(bytes) === 'last') settle()
      } catch (error) {
        settle(error instanceof TableError ? error : failure('EBADMSG', "the kernel's answer makes no sense", error))
      }
    },
  }
}

/** Loaded when first needed: where the library has no build, only this way is closed and the rest works. */
async function openSocket(): Promise<RawNetlinkSocket> {
  const { RawNetlinkSocket: Socket } = await import('netlink').catch((error: unknown) => {
    throw failure('ENOSYS', `the netlink library does not load here: ${printable(messageOf(error), 200)}`, error)
  })
  const opened = newSocket(Socket)
  if (opened.getRecvBufferSize() >= neededBufferBytes) return opened
  opened.close()
  throw failure('ENOBUFS', `net.core.rmem_max allows less than the ${neededBufferBytes} bytes that a batch may need`)
}

function newSocket(Socket: typeof RawNetlinkSocket): RawNetlinkSocket {
  try {
    return new Socket(netlinkGeneric, {
      messagePeeking: false,
      msgBufferSize: readBytes,
      recvBufferSize: receiveBufferBytes,
      sendBufferSize: sendBufferBytes,
    })
  } catch (error) {
    throw asFailure(error)
  }
}

function guarded(action: () => unknown): void {
  try {
    action()
  } catch {
    // Nothing in `action` throws; were it to, the exchange's own deadline ends it.
  }
}

function failure(code: string, text: string, cause?: unknown): TableError {
  return new TableError(code, `${text} (${code})`, cause === undefined ? {} : { cause })
}

function asFailure(error: unknown): TableError {
  const code = codeOf(error) ?? 'EIO'
  const sentence =
    code === 'EIO' ? `no netlink socket: ${printable(messageOf(error), 200)}` : describeRefusal('read', code)
  return failure(code, sentence, error)
}
