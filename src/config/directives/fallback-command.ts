import { decodeQuotedOrRaw, decodeRaw } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import type { Scope } from './common.ts'

const emptyCommand = 'invalid fallback command'

/**
 * At the top level the whole line goes to the shell, quotes and comments too (behaviour reference 2.4); in a section the
 * quotes are taken off. What the shell makes of it is seen first when no server is left, so it is said now.
 */
export function decodeFallbackCommand(directive: Directive, report: Reporter, scope: Scope): string | undefined {
  if (scope === 'virtual') return decodeQuotedOrRaw(directive, report, emptyCommand)
  const { value, valueAt } = directive
  if (/(^|\s)#/.test(value)) {
    const message = 'to the shell "#" begins a comment, and the arguments stand behind it: they are never seen'
    report.warn('misread', message, valueAt, 'put the comment into a line of its own')
  } else if (standsInQuotes(value)) {
    const message = 'the quotes stay at the top level: the shell looks for one program of that name, blanks and all'
    report.warn('misread', message, valueAt, 'write it without quotes')
  }
  return decodeRaw(directive, report, emptyCommand)
}

/** As a whole: what the shell takes for the first word has a blank in it, and the line ends with the same quote. */
function standsInQuotes(value: string): boolean {
  const [, quote = '', word = ''] = /^(["'])(.*?)\1/.exec(value) ?? []
  return /\s/.test(word) && value.trimEnd().endsWith(quote)
}
