import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { messageOf } from '../../lib/errors.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'
import { isWellFormed } from './message.ts'

/** A health query has a short answer; what the driver keeps of a message that has no end is bounded with it. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * An open connection as the PostgreSQL driver sees one that it is yet to open. The driver's parser and handlers run
 * inside a `try`, for what they throw at garbage would end the process.
 */
export class GuardedStream extends EventEmitter {
  readonly #socket: Socket
  readonly #onBroken: (error: unknown) => void
  #bytes = 0
  #rest: Buffer = Buffer.alloc(0)

  /** `onBroken` hears the first reason why there will be no more answers; later ones are consequences. */
  constructor(socket: Socket, onBroken: (error: unknown) => void) {
    super()
    this.#socket = socket
    this.#onBroken = onBroken
    // it was held back, maybe, since the answer to the question for TLS
    socket.on('data', (chunk: Buffer) => this.#take(chunk)).resume()
    socket.on('error', (error) => this.#break(error))
    socket.on('end', () => this.#break(new ClosedError()))
    socket.on('close', () => this.#break(new ClosedError()))
  }

  get writable(): boolean {
    return this.#socket.writable
  }

  /** The driver's wish to connect has been fulfilled. */
  connect(): this {
    process.nextTick(() => this.emit('connect'))
    return this
  }

  setNoDelay(): this {
    return this
  }

  write(message: Uint8Array, done?: () => void): boolean {
    return this.#socket.write(message, done)
  }

  end(): void {
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    try {
      this.#bytes += chunk.length
      if (this.#bytes > MOST_BYTES) throw new Failure('protocol', 'the answer has no end')
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      this.#handOn()
    } catch (error) {
      const thrown = error instanceof Failure ? error : new Failure('protocol', `not understood: ${messageOf(error)}`)
      this.#break(thrown)
    }
  }

  /** Message by message: a letter, the length of itself and the body in four bytes, the body. */
  #handOn(): void {
    while (this.#rest.length >= 5 && !this.#socket.destroyed) {
      const length = 1 + this.#rest.readUInt32BE(1)
      if (length < 5 || length > MOST_BYTES)
        throw new Failure('protocol', 'not PostgreSQL: a message of no such length')
      if (this.#rest.length < length) return
      const message = this.#rest.subarray(0, length)
      this.#rest = this.#rest.subarray(length)
      if (!isWellFormed(message)) throw new Failure('protocol', 'not PostgreSQL: a text without an end')
      this.emit('data', message)
    }
  }

  #break(error: unknown): void {
    this.#onBroken(error)
    this.#socket.destroy()
  }
}
