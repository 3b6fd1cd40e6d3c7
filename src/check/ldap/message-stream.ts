import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'

/** All that a server may say on one connection. An entry is asked for without its attributes. */
const maxBytes = 1 << 20

/**
 * A socket as an LDAP client library sees it, with a guard between: the library collects what is no message for as
 * long as it comes, and asks every error listener to leave before it closes. Each message is handed on whole: a BER
 * sequence whose first element is the message's number (RFC 4511 section 4.1.1).
 */
export class MessageStream extends EventEmitter {
  /** Asked by the library: this one is open already. */
  readonly connecting = false
  readonly readyState = 'open'
  /** Set by the library. */
  id?: string
  /** Rejects with the first reason why there will be no more answers. */
  readonly broken: Promise<never>
  readonly #socket: Socket
  readonly #onData = (chunk: Buffer): void => this.#take(chunk)
  readonly #onError = (error: unknown): void => this.#break(error)
  readonly #onEnd = (): void => this.#break(new ClosedError())
  readonly #onClose = (): void => {
    this.#break(new ClosedError())
    this.emit('close')
  }
  #reject: (error: unknown) => void = () => undefined
  #bytes = 0
  #messages = 0
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    this.broken = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
    // who waits for it hears of it; an end that nobody waits for is in order
    this.broken.catch(() => undefined)
    socket.on('data', this.#onData)
    socket.on('error', this.#onError)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
  }

  write(message: Buffer, done?: () => void): boolean {
    return this.#socket.write(message, done)
  }

  end(): void {
    this.#socket.destroySoon()
  }

  /** The library calls it right after `end`, whose bytes are still to go; whoever opened the socket destroys it. */
  destroy(): void {
    this.#socket.destroySoon()
  }

  /**
   * Leaves the socket to somebody else, for TLS, after one answer.
   *
   * @throws Failure when the server has said more: in the clear, so anybody may have said it
   */
  detach(): void {
    this.#socket.pause()
    this.#socket.off('data', this.#onData)
    this.#socket.off('error', this.#onError)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('close', this.#onClose)
    if (this.#messages === 1 && this.#rest.length === 0) return
    throw new Failure('protocol', 'the server went on in the clear after it agreed to TLS')
  }

  #take(chunk: Buffer): void {
    try {
      this.#bytes += chunk.length
      if (this.#bytes > maxBytes) throw new Failure('protocol', 'the answer has no end')
      this.#rest = Buffer.concat([this.#rest, chunk])
      for (let length = lengthOf(this.#rest); length !== undefined; length = lengthOf(this.#rest)) {
        const message = this.#rest.subarray(0, length)
        this.#rest = this.#rest.subarray(length)
        this.#messages++
        this.emit('data', message)
      }
    } catch (error) {
      this.#break(error)
    }
  }

  #break(error: unknown): void {
    this.#reject(error)
    this.#socket.destroy()
  }
}

/** Bytes of the message at the front, undefined while it is not whole. */
function lengthOf(bytes: Buffer): number | undefined {
  const [tag, first] = bytes
  if (tag !== undefined && tag !== 0x30) throw notLdap()
  if (first === undefined) return undefined
  // up to 0x7f it is the length itself, above it says how many bytes of length follow
  const more = first < 0x80 ? 0 : first - 0x80
  if (first === 0x80 || more > 4) throw notLdap()
  const head = 2 + more
  if (bytes.length < head) return undefined
  const length = more === 0 ? first : bytes.readUIntBE(2, more)
  if (length > maxBytes) throw new Failure('protocol', 'the answer has no end')
  if (length < 5) throw notLdap()
  if (bytes.length < head + 3) return undefined
  if (bytes[head] !== 2) throw notLdap()
  if (bytes.length < head + length) return undefined
  // number 0 is no answer but the notice of disconnection (RFC 4511 section 4.4.1)
  if (bytes[head + 1] === 1 && bytes[head + 2] === 0) throw new ClosedError('the server took leave')
  return head + length
}

function notLdap(): Failure {
  return new Failure('protocol', 'the answer is not LDAP')
}
