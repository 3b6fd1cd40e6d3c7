import type { Reporter, Span } from './diagnostics.ts'

/** One `name = value` line as the lexer found it; `value` is the text after `=` and its blanks. */
export interface Directive {
  readonly name: string
  readonly value: string
  readonly nameAt: Span
  readonly valueAt: Span
  /** The value as the file has it, where TABs in `value` became four blanks; for finding columns. */
  readonly raw?: string
}

/**
 * A directive, declared once. Its decoding, its default, `--help` and docs/configuration.md all come from here.
 * `decode` is also called when the directive is absent (`undefined`) and then gives the default; a bad value is
 * reported and the default returned, so that parsing goes on and finds the next fault.
 */
export interface Field<T> {
  readonly doc: string
  /** The default as a reader would write it, for the manual. */
  readonly fallback: string
  decode(directive: Directive | undefined, report: Reporter): T
}

// biome-ignore lint/suspicious/noExplicitAny: a record of fields of unlike types has no other common supertype
export type Fields = Readonly<Record<string, Field<any>>>
export type OptionsOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }
