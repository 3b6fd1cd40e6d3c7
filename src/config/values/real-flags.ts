import { spanIn } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { Forwarding } from '../../model/table.ts'
import type { RealLine, RequestPair } from '../parsed.ts'

export type RealFlags = Pick<RealLine, 'forwarding' | 'weight' | 'upper' | 'lower' | 'pair'>

const FORWARDING = ['gate', 'masq', 'ipip'] as const
/** What ipvsadm takes. */
const LARGEST_WEIGHT = 65_535
const LARGEST_THRESHOLD = 0xffff_ffff

/** A search that takes its match, and all before it, off the front of the flags (behaviour reference 2.8). */
interface Cursor {
  readonly directive: Directive
  readonly report: Reporter
  offset: number
}

/** The part of a `real` line behind the host and port, from `offset` of the value; undefined after a report. */
export function readFlags(directive: Directive, offset: number, report: Reporter): RealFlags | undefined {
  const cursor: Cursor = { directive, report, offset }
  const forwarding = readForwardingWord(cursor)
  if (forwarding === undefined) return undefined
  const weight = readNumber(cursor, /\s([0-9]+)/, { name: 'weight', most: LARGEST_WEIGHT }) ?? 1
  const pair = readPair(cursor)
  const lower = readNumber(cursor, /\s+l:([0-9]+)/, { name: 'lower threshold', most: LARGEST_THRESHOLD }) ?? 0
  const upper = readNumber(cursor, /\s+u:([0-9]+)/, { name: 'upper threshold', most: LARGEST_THRESHOLD }) ?? 0
  const isComplete = readLeftover(cursor, pair)
  return isComplete ? { forwarding, weight, pair, lower, upper } : undefined
}

function readForwardingWord(cursor: Cursor): Forwarding | undefined {
  const { directive, report, offset } = cursor
  const rest = directive.value.slice(offset)
  const match = /\w+/.exec(rest)
  const word = match?.[0] ?? ''
  const found = FORWARDING.find((each) => each === word)
  if (match === null || found === undefined) {
    const at =
      match === null ? spanIn(directive, offset, rest.length) : spanIn(directive, offset + match.index, word.length)
    report.error('value', 'forward method must be gate, masq or ipip', at, forwardingHint(word))
    return undefined
  }
  cursor.offset += match.index + word.length
  return found
}

export function forwardingHint(word: string): string | undefined {
  const known: Readonly<Record<string, string>> = {
    nat: 'masq',
    dr: 'gate',
    route: 'gate',
    tun: 'ipip',
    tunnel: 'ipip',
  }
  const lower = word.toLowerCase()
  const same = Object.hasOwn(known, lower) ? known[lower] : undefined
  return same === undefined ? didYouMean(word, FORWARDING) : `did you mean "${same}"?`
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  const { directive, report, offset } = cursor
  const rest = directive.value.slice(offset)
  const match = pattern.exec(rest)
  if (match === null) return null
  const dropped = rest.slice(0, match.index)
  if (/[^\s"]/.test(dropped)) {
    const start = offset + (/\S/.exec(dropped)?.index ?? 0)
    const message = `"${dropped.trim()}" is dropped: it stands before "${match[0].trim()}"`
    report.warn('misread', message, spanIn(directive, start, dropped.trim().length))
  }
  cursor.offset += match.index + match[0].length
  return match
}

interface NumberRule {
  readonly name: string
  readonly most: number
}

function readNumber(cursor: Cursor, pattern: RegExp, { name, most }: NumberRule): number | undefined {
  const match = take(cursor, pattern)
  if (match === null) return undefined
  const value = Number(match[1])
  if (value <= most) return value
  cursor.report.warn('range', `the ${name} is limited to ${most}`, cursor.directive.valueAt)
  return most
}

function readPair(cursor: Cursor): RequestPair | undefined {
  const match = take(cursor, /\s+"(.*)"[,\s]\s*"(.*)"/)
  if (match === null) return undefined
  const { directive, report, offset } = cursor
  const [all, request = '', receive = ''] = match
  const receiveStart = offset - 1 - receive.length
  const receivePlace = (at: number, length: number) => spanIn(directive, receiveStart + at, length)
  if (request.startsWith('/')) {
    const message = 'Perl ldirectord ignores a pair whose request begins with "/"; here it is used'
    const start = offset - all.length + all.indexOf('"')
    report.warn('misread', message, spanIn(directive, start, offset - start))
  }
  return { request, receive, receivePlace }
}

/** Behind a pair that Perl ldirectord does not use it takes anything (defect D5), so there it is only a warning. */
function readLeftover({ directive, report, offset }: Cursor, pair: RequestPair | undefined): boolean {
  const rest = directive.value.slice(offset)
  if (rest.trim() === '') return true
  const start = offset + (/\S/.exec(rest)?.index ?? 0)
  const at = spanIn(directive, start, rest.trim().length)
  const isLenient = pair?.request.startsWith('/') === true
  if (isLenient) report.warn('misread', `what follows the pair is ignored: "${rest.trim()}"`, at)
  else report.error('value', `Invalid real server line, around "${rest}"`, at, leftoverHint(rest))
  return isLenient
}

function leftoverHint(rest: string): string | undefined {
  if (/^\s+-[0-9]/.test(rest)) return 'a weight is not negative'
  if (/^\.[0-9]/.test(rest)) return 'a weight is a whole number'
  if (/^,\s*[0-9]/.test(rest)) return 'a blank stands before the weight'
  if (/"\s+,/.test(rest)) return 'no blank before the comma: "request", "receive"'
  if (/^\s*"[^"]*"\s*$/.test(rest)) return 'a request and a receive belong together: "request", "receive"'
  if (rest.includes('"')) return 'write the weight before "request", "receive"'
  return undefined
}
