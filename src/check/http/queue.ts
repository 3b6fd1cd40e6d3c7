import type { Socket } from 'node:net'

/** Bytes of a connection that have come and were not taken yet. Reads only when asked, so the peer is held back. */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Buffer>
  #bytes: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  }

  get length(): number {
    return this.#bytes.length
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0
  }

  /** Waits for the next bytes; false at the end of the stream. Throws what the connection fails with. */
  async more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#bytes = this.isEmpty ? next.value : Buffer.concat([this.#bytes, next.value])
    return true
  }

  indexOf(byte: number): number {
    return this.#bytes.indexOf(byte)
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }

  /** The first bytes as latin1, left where they are. */
  start(length: number): string {
    return this.#bytes.toString('latin1', 0, length)
  }
}
