import { type ByteSet, folded } from './bytes.ts'
import { PatternError } from './tree.ts'

/** Perl's inline flags as they hold at one place. */
export interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  readonly x: boolean
  readonly n: boolean
}

export const noFlags: Flags = { i: false, m: false, s: false, x: false, n: false }

/** The pattern being read, and what was found on the way. One byte is one character of `text`. */
export class Reader {
  readonly text: string
  at = 0
  flags: Flags = noFlags
  depth = 0
  /** Capturing groups opened so far. */
  groups = 0
  readonly names = new Map<string, number>()
  /** Back-references, checked when all groups are known. */
  readonly references: { readonly group: number | string; readonly at: number }[] = []
  /** A `(?|…)` was seen, whose branches number their groups alike; that matters to references only. */
  sharesNumbers = false
  /** Between `\Q` and `\E`. */
  quoted = false

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.at >= this.text.length
  }

  peek(): string {
    return this.text.charAt(this.at)
  }

  next(): string {
    return this.text.charAt(this.at++)
  }

  looksAt(literal: string): boolean {
    return this.text.startsWith(literal, this.at)
  }

  /** Steps over `literal` if it stands here. */
  takes(literal: string): boolean {
    if (!this.looksAt(literal)) return false
    this.at += literal.length
    return true
  }

  /** Steps over what `pattern` (sticky) matches here. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at += found[0].length
    return found
  }

  fail(message: string, from = this.at): never {
    const offset = Math.min(from, Math.max(0, this.text.length - 1))
    throw new PatternError(message, { offset, length: Math.max(1, this.at - offset) })
  }

  /** The set as the flags at this place want it. */
  cased(set: ByteSet): ByteSet {
    return this.flags.i ? folded(set) : set
  }

  /** Comments, and under `(?x)` blanks: what stands between atoms and means nothing. */
  skipIgnored(): void {
    while (!this.done) {
      if (this.looksAt('(?#')) {
        const from = this.at
        const end = this.text.indexOf(')', this.at)
        if (end < 0) this.fail('the comment (?# is not closed', from)
        this.at = end + 1
      } else if (!this.flags.x || this.take(/\s+|#[^\n]*/y) === null) return
    }
  }
}
