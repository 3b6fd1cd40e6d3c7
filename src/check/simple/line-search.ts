import { printable } from '../../lib/printable.ts'
import { type CheckResult, down, up } from '../../model/verdict.ts'
import { MOST_BYTES, type ReceivePattern } from '../receive/receive.ts'

/** What testing unfinished lines may cost in all, in bytes; beyond it they wait for their end. */
const mostUnfinished = 1 << 21
/** One search costs a microsecond whatever its length: a reply of nothing but newlines must not hold the process up. */
const mostLines = 100_000

/**
 * Looks for a pattern in a reply as it comes: in each line by itself, as Perl ldirectord does, and at the end in the
 * whole. Without a pattern the first byte will do.
 */
export class LineSearch {
  #whole = ''
  /** Where the unfinished line begins. */
  #from = 0
  #lines = 0
  #spent = 0
  #gaveUp = false
  readonly #pattern: ReceivePattern | undefined

  constructor(pattern: ReceivePattern | undefined) {
    this.#pattern = pattern
  }

  get length(): number {
    return this.#whole.length
  }

  /** Takes more of the reply; a verdict as soon as what follows cannot change it. */
  add(chunk: Buffer): CheckResult | undefined {
    if (this.#pattern === undefined) return chunk.length > 0 ? up('a reply came') : undefined
    this.#whole += chunk.toString('latin1', 0, MOST_BYTES - this.#whole.length)
    if (this.#findInLines(this.#pattern)) return up('receive pattern found')
    const isFull = this.#whole.length >= MOST_BYTES || this.#lines >= mostLines || this.#gaveUp
    return isFull ? this.end() : undefined
  }

  /** The verdict on what came, when nothing more will. Only asked when something did. */
  end(): CheckResult {
    const pattern = this.#pattern
    if (pattern === undefined) return up('a reply came')
    const hasRest = this.#from < this.#whole.length
    if (!this.#gaveUp && hasRest && this.#test(pattern, this.#whole.slice(this.#from)))
      return up('receive pattern found')
    if (!this.#gaveUp && this.#test(pattern, this.#whole)) return up('receive pattern found')
    if (this.#gaveUp) return down('mismatch', 'the search for receive took too long')
    const excerpt = printable(this.#whole.slice(0, 200), 80)
    return down('mismatch', `receive pattern not found in ${this.#whole.length} bytes: "${excerpt}"`)
  }

  #findInLines(pattern: ReceivePattern): boolean {
    for (;;) {
      const newline = this.#whole.indexOf('\n', this.#from)
      if (newline < 0) return this.#findInUnfinished(pattern)
      const line = this.#whole.slice(this.#from, newline + 1)
      this.#from = newline + 1
      if (++this.#lines > mostLines || this.#gaveUp) return false
      if (this.#test(pattern, line)) return true
    }
  }

  /** A line whose end may never come; one that more text could undo has to wait for it. */
  #findInUnfinished(pattern: ReceivePattern): boolean {
    const rest = this.#whole.slice(this.#from)
    if (rest === '' || pattern.needsEnd || this.#spent + rest.length > mostUnfinished) return false
    this.#spent += rest.length
    return this.#test(pattern, rest)
  }

  #test(pattern: ReceivePattern, text: string): boolean {
    const outcome = pattern.search(text)
    if (outcome === 'gave-up') this.#gaveUp = true
    return outcome === 'yes'
  }
}
