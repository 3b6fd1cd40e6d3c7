import type { Diagnostic } from './diagnostics.ts'
import { printable } from './printable.ts'
import { suggest } from './suggest.ts'
import { urlPasswordAt } from './url-password.ts'

/** How much of a source line is shown around the place. */
const WIDTH = 100
const CONTEXT = 30
/** A sane line is shorter; what is behind is cut before it is escaped. */
const LONGEST_MESSAGE = 1000

/**
 * `file:line:column: error[code]: message`, the source line, a caret run under the place and a hint, without a final
 * newline. Nothing of the file reaches a terminal unescaped, and no password is shown.
 */
export function renderDiagnostic(diagnostic: Diagnostic, text: string): string {
  const { at, severity, code, message, hint } = diagnostic
  const place = `${printable(at.file)}:${at.line}:${at.column}`
  const lines = [`${place}: ${severity}[${code}]: ${printable(message, LONGEST_MESSAGE)}`]
  const source = sourceLine(text, at.line)
  if (source !== undefined && source.trim() !== '') lines.push(...quote(source, diagnostic))
  if (hint !== undefined) lines.push(`  hint: ${printable(hint, LONGEST_MESSAGE)}`)
  return lines.join('\n')
}

/** `2 errors, 1 warning`, or undefined when there is nothing to say. */
export function summariseDiagnostics(diagnostics: readonly Diagnostic[]): string | undefined {
  const errors = diagnostics.filter((d) => d.severity === 'error').length
  const warnings = diagnostics.length - errors
  const parts = [counted(errors, 'error'), counted(warnings, 'warning')].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(', ')
}

function counted(count: number, noun: string): string | undefined {
  if (count === 0) return undefined
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A line without its end and, for the first, without a byte order mark: columns are counted from behind it. */
function sourceLine(text: string, number: number): string | undefined {
  let start = text.startsWith('\ufeff') ? 1 : 0
  for (let line = 1; line < number; line++) {
    const end = text.indexOf('\n', start)
    if (end === -1) return undefined
    start = end + 1
  }
  const end = text.indexOf('\n', start)
  return text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
}

function quote(line: string, { at }: Diagnostic): string[] {
  const value = secretValue(line)
  const from = at.column - 1
  const to = Math.min(line.length, from + at.length)
  // Under a hidden value one caret is enough: its length is nobody's business.
  if (value !== undefined && to > value) return marked(`${line.slice(0, value)}(hidden)`, Math.min(from, value), 1)
  return marked(value === undefined ? line : `${line.slice(0, value)}(hidden)`, from, Math.max(1, to - from))
}

function marked(line: string, from: number, length: number): string[] {
  const start = from + length <= WIDTH ? 0 : Math.max(0, from - CONTEXT)
  const end = Math.min(line.length, start + WIDTH)
  const before = `${start > 0 ? '…' : ''}${escaped(line.slice(start, from))}`
  const under = escaped(line.slice(from, Math.min(end, from + length)))
  const after = `${escaped(line.slice(from + length, end))}${end < line.length ? '…' : ''}`
  return [`  | ${before}${under}${after}`, `  | ${' '.repeat(before.length)}${'^'.repeat(Math.max(1, under.length))}`]
}

/** A TAB is shown as one blank, so that the caret stands right whatever the terminal's tab stops are. */
function escaped(text: string): string {
  return printable(text.replaceAll('\t', ' '), WIDTH * 2)
}

/** Where the value begins on a line that sets a password or a webhook's URL, or looks as if it was meant to; undefined for others. */
function secretValue(line: string): number | undefined {
  const match = /^(\s*#?\s*([\w-]+)\s*[=:]?\s*)\S/.exec(line)
  if (match === null) return undefined
  const [, head = '', name = ''] = match
  const near = suggest(name, ['passwd', 'password', 'smtppasswd', 'smtppassword', 'secret', 'alertwebhook'])
  return near !== undefined || /pass|pw|secret|hook/i.test(name) ? head.length : urlPasswordAt(line)
}
