import type { Reporter, Span } from './diagnostics.ts'
import type { Directive, Field } from './fields.ts'

/**
 * The value rules of behaviour reference 2.2. Each gives the value, or reports what is wrong and gives undefined.
 * `message` is Perl ldirectord's own text for a bad value of that directive.
 */
export type Decode<T> = (directive: Directive, report: Reporter) => T | undefined

/** Node's timers cannot wait longer; a longer one would fire at once. */
const LONGEST_SECONDS = 2_147_483
const LARGEST_NUMBER = 2_147_483_647

/** What a field is made of; `absent` is the value of a directive that is not there, and of one that is wrong. */
export interface FieldParts<T> {
  readonly doc: string
  readonly fallback: string
  readonly absent: T
  readonly decode: Decode<T>
}

export function makeField<T>(parts: FieldParts<T>): Field<T> {
  return {
    doc: parts.doc,
    fallback: parts.fallback,
    decode: (directive, report) =>
      directive === undefined ? parts.absent : (parts.decode(directive, report) ?? parts.absent),
  }
}

/** The place of a part of the value, in columns of the file: a TAB is one there and four blanks in the value. */
export function spanIn(directive: Directive, offset: number, length: number): Span {
  const { valueAt, raw } = directive
  const from = rawOffset(raw, offset)
  const to = rawOffset(raw, offset + length)
  return { ...valueAt, column: valueAt.column + from, length: Math.max(1, to - from) }
}

function rawOffset(raw: string | undefined, offset: number): number {
  if (raw === undefined) return offset
  let expanded = 0
  for (let i = 0; i < raw.length; i++) {
    if (expanded >= offset) return i
    expanded += raw[i] === '\t' ? 4 : 1
  }
  return raw.length
}

/** The value without a trailing comment (only top-level lines still have one) and without blanks at its end. */
export function bareValue(directive: Directive): string {
  return directive.value.replace(/(^|\s)#.*$/, '').trimEnd()
}

/** num: the first run of digits; what stands around it is ignored, with a warning where it changes the meaning. */
export function decodeNumber(directive: Directive, report: Reporter, message: string): number | undefined {
  const digits = /[0-9]+/.exec(directive.value)
  if (digits === null) {
    report.error('value', message, directive.valueAt)
    return undefined
  }
  warnOfMisreading(directive, digits[0], report)
  const value = Number(digits[0])
  if (value <= LARGEST_NUMBER) return value
  report.warn('range', `${directive.name} is limited to ${LARGEST_NUMBER}`, directive.valueAt)
  return LARGEST_NUMBER
}

/** num+: as num, and not zero; Perl ldirectord lets `00` pass, which leaves a check without a limit (defect D40). */
export function decodePositive(directive: Directive, report: Reporter, message: string): number | undefined {
  const value = decodeNumber(directive, report, message)
  if (value !== 0) return value
  report.error('range', message, directive.valueAt, 'it must be greater than zero')
  return undefined
}

/** num+ in seconds. */
export function decodeSeconds(directive: Directive, report: Reporter, message: string): number | undefined {
  const value = decodePositive(directive, report, message)
  if (value === undefined || value <= LONGEST_SECONDS) return value
  report.warn('range', `${directive.name} is limited to ${LONGEST_SECONDS} seconds`, directive.valueAt)
  return LONGEST_SECONDS
}

/** Harmless around a number: quotes, and a unit that says what it is anyway. */
const PLAIN_NUMBER = /^"?\s*[0-9]+\s*(s|secs?|seconds?|times?)?\.?\s*"?$/i

function warnOfMisreading(directive: Directive, digits: string, report: Reporter): void {
  const bare = bareValue(directive)
  if (PLAIN_NUMBER.test(bare)) return
  report.warn('misread', `${directive.name} is read as ${digits}: only the first digits count`, directive.valueAt)
}

/** yesno: exactly `yes` or `no`; blanks at the end and a comment are accepted. */
export function decodeYesNo(directive: Directive, report: Reporter, message?: string): boolean | undefined {
  const bare = bareValue(directive)
  if (bare === 'yes' || bare === 'no') return bare === 'yes'
  const lower = bare.replaceAll('"', '').toLowerCase()
  const meant = /^(yes|true|on|1)$/.test(lower) ? 'yes' : /^(no|false|off|0)$/.test(lower) ? 'no' : undefined
  const hint = meant === undefined ? undefined : `write ${directive.name} = ${meant}`
  report.error('value', message ?? `${directive.name} must be 'yes' or 'no'`, directive.valueAt, hint)
  return undefined
}

/** word: the first run of letters, digits and underscores; undefined without a report when there is none. */
export function firstWord(directive: Directive): { readonly text: string; readonly at: Span } | undefined {
  const word = /\w+/.exec(directive.value)
  if (word === null) return undefined
  return { text: word[0], at: spanIn(directive, word.index, word[0].length) }
}

/** The content of a value that starts with a quote, up to the last quote of the line; undefined if it is not so. */
export function quotedContent(directive: Directive): string | undefined {
  return /^"(.*)"/.exec(directive.value)?.[1]
}

/** quoted: unquoted is an error (Perl ldirectord does not know the directive then), empty gives `emptyMessage`. */
export function decodeQuoted(directive: Directive, report: Reporter, emptyMessage: string): string | undefined {
  const content = decodeQuotedOrEmpty(directive, report)
  if (content !== '') return content
  report.error('value', emptyMessage, directive.valueAt)
  return undefined
}

/** quoted, where empty content is a value too. */
export function decodeQuotedOrEmpty(directive: Directive, report: Reporter): string | undefined {
  const content = quotedContent(directive)
  if (content !== undefined) return content
  // The value is not repeated in the message: it may be a password.
  const message = `Unknown command: the value of ${directive.name} must stand in double quotes`
  const hint = directive.value === '' ? undefined : 'put the value in double quotes'
  report.error('value', message, directive.valueAt, hint)
  return undefined
}

/** quoted-or-raw: the quoted content if it is quoted, else the whole value; empty gives `emptyMessage`. */
export function decodeQuotedOrRaw(directive: Directive, report: Reporter, emptyMessage: string): string | undefined {
  const value = quotedContent(directive) ?? directive.value
  if (value !== '') return value
  report.error('value', emptyMessage, directive.valueAt)
  return undefined
}

/** raw: the whole value, blanks at its end and quotes included; empty gives `emptyMessage`. */
export function decodeRaw(directive: Directive, report: Reporter, emptyMessage: string): string | undefined {
  if (directive.value !== '') return directive.value
  report.error('value', emptyMessage, directive.valueAt)
  return undefined
}
