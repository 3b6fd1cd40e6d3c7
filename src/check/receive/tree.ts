import type { ByteSet } from './bytes.ts'

/** A Perl pattern, read. Flags are resolved: case folding is in the sets, `(?m)` and `(?s)` in anchors and dots. */
export type Node =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'capture'; readonly group: number; readonly body: Node }
  | { readonly kind: 'repeat'; readonly body: Node; readonly min: number; readonly max: number; readonly mode: Mode }
  | { readonly kind: 'anchor'; readonly at: Anchor }
  | { readonly kind: 'newline' } // \R
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negative: boolean; readonly body: Node }
  | { readonly kind: 'reference'; readonly group: number }

export type Mode = 'greedy' | 'lazy' | 'possessive'

/** `last` is Perl's `$` and `\Z`: the end, or before one newline at the end. */
export type Anchor = 'start' | 'end' | 'last' | 'line-start' | 'line-end' | 'word' | 'not-word'

/** What is wrong with a pattern, and where, in bytes from its start. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  readonly offset: number
  readonly length: number

  constructor(message: string, at: { readonly offset: number; readonly length?: number; readonly cause?: unknown }) {
    super(message, { cause: at.cause })
    this.offset = at.offset
    this.length = at.length ?? 1
  }
}
