import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'

const WORDS = ['connect', 'negotiate', 'on', 'off', 'ping', 'external', 'external-perl'] as const

/** `combined` is the number form: so many connects after each successful negotiate. */
export type CheckType =
  | { readonly word: (typeof WORDS)[number] }
  | { readonly word: 'combined'; readonly connects: number }

/** As a config says it. */
export function formatCheckType(type: CheckType): string {
  return type.word === 'combined' ? String(type.connects) : type.word
}

/** Any digit makes it the number form; else the first run of letters, digits, `_` and `-` is the keyword. */
export function decodeCheckType(directive: Directive, report: Reporter): CheckType | undefined {
  const digits = /[0-9]+/.exec(directive.value)?.[0]
  const first = /[\w-]+/.exec(directive.value)?.[0] ?? ''
  if (digits !== undefined) {
    const connects = Math.min(Number(digits), 1_000_000)
    if (!/^"?[0-9]+"?\s*$/.test(directive.value)) {
      report.warn('misread', `checktype is read as the number ${connects}: any digit means that`, directive.valueAt)
    }
    return { word: 'combined', connects }
  }
  const word = WORDS.find((each) => each === first)
  if (word !== undefined) return { word }
  const message =
    'checktype must be "connect", "negotiate", "on", "off", "ping", "external", "external-perl" or a positive number'
  const hint = first === 'none' ? 'for real servers that are always up write checktype = on' : didYouMean(first, WORDS)
  report.error('value', message, directive.valueAt, hint)
  return undefined
}
