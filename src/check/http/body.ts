import { printable } from '../../lib/printable.ts'
import { type CheckResult, down, up } from '../../model/verdict.ts'
import { MOST_BYTES, type ReceivePattern } from '../receive/receive.ts'

/** What the searches of one body may cost together before they become rarer, in bytes. */
const FREE_SEARCH_BYTES = 1 << 23

/**
 * Reads a body as far as it is needed and judges it: to its end, to the bound, or to where the pattern is found if no
 * text that follows could undo it.
 *
 * @throws what the body's reading throws
 */
export async function judgeBody(
  body: AsyncIterable<Buffer>,
  receive: ReceivePattern | undefined,
  statusText: string,
): Promise<CheckResult> {
  return receive === undefined ? drain(body, statusText) : search(body, receive, statusText)
}

async function drain(body: AsyncIterable<Buffer>, statusText: string): Promise<CheckResult> {
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length >= MOST_BYTES) return up(`${statusText}, more than ${MOST_BYTES} bytes`)
  }
  return up(`${statusText}, ${length} bytes`)
}

async function search(body: AsyncIterable<Buffer>, receive: ReceivePattern, statusText: string): Promise<CheckResult> {
  const { mostBytes } = receive
  const found = (): CheckResult => up(`${statusText}, receive pattern found`)
  const seen = new Seen(mostBytes)
  let searched = 0
  let cost = 0
  for await (const chunk of body) {
    seen.add(chunk)
    if (seen.isFull) break
    // at every chunk while that is cheap, then only when an eighth has been added: the sum stays linear
    const due = cost < FREE_SEARCH_BYTES || seen.length >= searched + (searched >> 3)
    if (receive.needsEnd || !due) continue
    searched = seen.length
    cost += searched
    if (receive.test(seen.bytes())) return found()
  }
  const outcome = receive.search(seen.bytes())
  if (outcome === 'yes') return found()
  const where = seen.isFull ? `the first ${mostBytes} bytes` : `${seen.length} bytes`
  if (outcome === 'gave-up') return down('mismatch', `${statusText}, the search for receive in ${where} took too long`)
  return down('mismatch', `${statusText}, receive pattern not found in ${where}: "${seen.excerpt()}"`)
}

/** The bytes read so far, in one buffer that grows by doubling. */
class Seen {
  length = 0
  #buffer = Buffer.alloc(0)
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.length >= this.#most
  }

  add(chunk: Buffer): void {
    const taken = chunk.subarray(0, this.#most - this.length)
    if (this.length + taken.length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.min(this.#most, Math.max(4096, 2 * (this.length + taken.length))))
      this.#buffer.copy(grown, 0, 0, this.length)
      this.#buffer = grown
    }
    taken.copy(this.#buffer, this.length)
    this.length += taken.length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }

  excerpt(): string {
    return printable(this.bytes().toString('utf8', 0, Math.min(this.length, 200)), 80)
  }
}
