import { createSocket, type Socket } from 'node:dgram'
import { type Clock, systemClock } from '../lib/clock.ts'
import { familyOf } from '../lib/ip-bytes.ts'
import { type Endpoint, NoPortError } from './dial.ts'
import { Failure } from './failure.ts'

/** One question over UDP and how its answer is known. */
export interface DatagramExchange<T> {
  readonly signal: AbortSignal
  /** What the whole probe may take; sets when the question is repeated, nothing else. */
  readonly timeoutMs: number
  /** The question; some protocols name our own end in it. Asked for once: a repetition is the same bytes. */
  message(local: Endpoint): Buffer
  /** The answer that a datagram is; undefined for one that is not the answer, and the wait goes on. */
  take(datagram: Buffer): T | undefined
  /** Asked once, shortly before the deadline, where datagrams came: what they say all together. May throw. */
  lastWord?(): T | undefined
  /** Whoever tests the repetition. */
  readonly clock?: Clock
}

/** When the question is repeated, in parts of the whole time: one lost datagram must not take a healthy server out. */
const repeatAt = [1 / 4, 1 / 2] as const
const lastWordAt = 7 / 8
const mostDatagrams = 1000

/**
 * Sends a question and waits for its answer. The socket is connected: a port that is closed is known by the ICMP
 * message that comes back, and only datagrams of the server that was asked are seen.
 *
 * @throws the signal's reason, the system error (`ECONNREFUSED` …), what `take` and `lastWord` throw, or Failure
 *   when the server talks for ever without answering
 */
export async function exchangeDatagrams<T>(to: Endpoint, exchange: DatagramExchange<T>): Promise<T> {
  const { signal } = exchange
  signal.throwIfAborted()
  if (to.port < 1 || to.port > 65535) throw new NoPortError()
  const socket = createSocket(familyOf(to.address) === 6 ? 'udp6' : 'udp4')
  let onAbort = (): void => undefined
  const stopTimers: (() => void)[] = []
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      socket.on('error', reject)
      socket.on('message', receiver(exchange, resolve, reject))
      socket.once('connect', () => {
        try {
          const send = sender(socket, exchange.message(localEnd(socket)), reject)
          stopTimers.push(...setTimers(exchange, { send, resolve, reject }))
          send()
        } catch (error) {
          reject(error)
        }
      })
      socket.connect(to.port, to.address)
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stop of stopTimers) stop()
    // what comes between here and the close is nobody's surprise
    socket.removeAllListeners('message').on('error', () => undefined)
    socket.close()
  }
}

function receiver<T>(
  exchange: DatagramExchange<T>,
  resolve: (answer: T) => void,
  reject: (error: unknown) => void,
): (datagram: Buffer) => void {
  let taken = 0
  return (datagram) => {
    try {
      const answer = exchange.take(datagram)
      if (answer !== undefined) resolve(answer)
      else if (++taken === mostDatagrams) throw new Failure('protocol', `${taken} datagrams, none of them the answer`)
    } catch (error) {
      reject(error)
    }
  }
}

function sender(socket: Socket, message: Buffer, reject: (error: unknown) => void): () => void {
  return () => {
    socket.send(message, (error) => {
      if (error !== null) reject(error)
    })
  }
}

interface Acts<T> {
  send(): void
  resolve(answer: T): void
  reject(error: unknown): void
}

/** Times within the probe's own, which stays the one deadline: nothing here ends it without a word of the server. */
function setTimers<T>(exchange: DatagramExchange<T>, { send, resolve, reject }: Acts<T>): (() => void)[] {
  const { timeoutMs, clock = systemClock } = exchange
  const conclude = (): void => {
    try {
      const answer = exchange.lastWord?.()
      if (answer !== undefined) resolve(answer)
    } catch (error) {
      reject(error)
    }
  }
  const timers = [
    ...repeatAt.map((part) => clock.setTimer('repeat the question', timeoutMs * part, send)),
    clock.setTimer('last word', timeoutMs * lastWordAt, conclude),
  ]
  return timers.map((timer) => () => timer.cancel())
}

function localEnd(socket: Socket): Endpoint {
  const { address, port } = socket.address()
  return { address, port }
}
