import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { messageOf } from '../../lib/errors.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'

/** A health query has a short answer. The packets of 4096 columns, which is the protocol's most, stay below both. */
const maxBytes = 4 * 1024 * 1024
const maxPackets = 5000

/**
 * A socket as a MySQL driver sees it, with a guard between. The driver's packet handlers run inside a `try`, for what
 * they throw at garbage would end the process; packets out of turn (the driver prints them) and answers beyond all
 * bounds end the connection. A packet is three bytes length, low byte first, one of sequence, and the payload.
 */
export class PacketStream extends EventEmitter {
  readonly #socket: Socket
  readonly #onBroken: (error: unknown) => void
  #expected = 0
  #bytes = 0
  #packets = 0
  #header: number[] = []
  #payloadLeft = 0

  /** `onBroken` hears the first reason why there will be no more answers; later ones are consequences. */
  constructor(socket: Socket, onBroken: (error: unknown) => void) {
    super()
    this.#socket = socket
    this.#onBroken = onBroken
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#break(error))
    socket.on('end', () => this.#break(new ClosedError()))
    socket.on('close', () => this.#break(new ClosedError()))
  }

  /** The driver writes whole packets: the answer's sequence number follows on the one sent. */
  write(packet: Buffer, done?: (error?: Error | null) => void): boolean {
    this.#expected = ((packet[3] ?? 0) + 1) & 0xff
    return this.#socket.write(packet, done)
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
      if (this.#bytes > maxBytes) throw new Failure('protocol', 'the answer has no end')
      quietly(() => {
        let rest = chunk
        while (rest.length > 0 && !this.#socket.destroyed) rest = this.#takeSome(rest)
      })
    } catch (error) {
      const thrown = error instanceof Failure ? error : new Failure('protocol', `not understood: ${messageOf(error)}`)
      this.#break(thrown)
    }
  }

  /** Hands on one whole header, or what there is of one payload, and gives back the rest. */
  #takeSome(chunk: Buffer): Buffer {
    if (this.#payloadLeft === 0) {
      const wanted = 4 - this.#header.length
      this.#header.push(...chunk.subarray(0, wanted))
      if (this.#header.length === 4) this.emit('data', this.#readHeader())
      return chunk.subarray(wanted)
    }
    const part = chunk.subarray(0, this.#payloadLeft)
    this.#payloadLeft -= part.length
    this.emit('data', part)
    return chunk.subarray(part.length)
  }

  #readHeader(): Buffer {
    const header = Buffer.from(this.#header)
    const [low = 0, middle = 0, high = 0, sequence = 0] = header
    if (sequence !== this.#expected) {
      throw new Failure('protocol', `not MySQL: packet ${sequence} where ${this.#expected} was due`)
    }
    if (++this.#packets > maxPackets) throw new Failure('protocol', 'the answer has too many packets')
    this.#expected = (sequence + 1) & 0xff
    this.#payloadLeft = low + (middle << 8) + (high << 16)
    this.#header = []
    return header
  }

  #break(error: unknown): void {
    this.#onBroken(error)
    this.#socket.destroy()
  }
}

/** At some garbage the driver prints a line or a stack trace; a server is not to write to our error output. */
function quietly(action: () => void): void {
  const ours = console
  const { error, trace } = ours
  Object.assign(ours, { error: () => undefined, trace: () => undefined })
  try {
    action()
  } finally {
    Object.assign(ours, { error, trace })
  }
}
