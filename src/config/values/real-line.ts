import { spanIn } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { ipv4ToNumber } from '../../lib/ip.ts'
import type { Family } from '../../model/service.ts'
import type { Forwarding } from '../../model/table.ts'
import type { HostRef, RealLine } from '../parsed.ts'
import type { ServiceNames } from '../services.ts'
import { portHint, readHost, readPort, warnOfUnusualAddress } from './host.ts'
import { readFlags } from './real-flags.ts'

/** More real servers than that in one line is a mistake, not a pool. */
export const LARGEST_RANGE = 65_536

const HOST = String.raw`\d+\.\d+\.\d+\.\d+|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]`
/** Found anywhere in the value: what stands before is dropped (behaviour reference 2.8). */
const PATTERN = new RegExp(String.raw`(${HOST})(?:->(${HOST}))?(?::([\w-]+))?\s+(\S.*)`)

/** No `real` line that means something is longer; beyond it a search could take long. */
const LONGEST_LINE = 4096

export interface RealRules {
  readonly family: Family
  readonly services: ServiceNames
}

/** A `real =` line; undefined after a report. */
export function readReal(directive: Directive, rules: RealRules, report: Reporter): RealLine | undefined {
  const { family, services } = rules
  const { value } = directive
  const match = value.length > LONGEST_LINE ? null : PATTERN.exec(value)
  if (match === null) {
    const message = 'invalid address for real server (wrong format)'
    report.error('address', message, directive.valueAt, 'write HOST[:PORT] gate|masq|ipip [WEIGHT]')
    return undefined
  }
  const [, first = '', last, portText = '0', flagText = ''] = match
  const source: Source = { directive, family, report }
  const start = match.index
  warnOfDropped(source, start)
  const range = readRange(source, { start, first, last })
  const port = readPort(portText, ['tcp', 'udp'], services)
  if (port === undefined) {
    const at = spanIn(directive, value.indexOf(`:${portText}`, start) + 1, portText.length)
    const message = `invalid port (${portText}) for real server (could not resolve port)`
    report.error('address', message, at, portHint(portText, 'tcp or udp'))
  }
  const flags = readFlags(directive, value.length - flagText.length, report)
  if (range === undefined || port === undefined || flags === undefined) return undefined
  return { at: directive.valueAt, ...range, port, ...flags }
}

interface Source {
  readonly directive: Directive
  readonly family: Family
  readonly report: Reporter
}

function warnOfDropped({ directive, report }: Source, start: number): void {
  const dropped = directive.value.slice(0, start)
  if (dropped.trim() === '') return
  const message = `what stands before the host is dropped: the real server is "${directive.value.slice(start)}"`
  const hint = dropped.endsWith('::') ? 'one colon stands before the port' : undefined
  report.warn('misread', message, spanIn(directive, 0, start), hint)
}

interface RangeText {
  readonly start: number
  readonly first: string
  readonly last: string | undefined
}

function readRange(source: Source, text: RangeText): { host: HostRef; end: HostRef | undefined } | undefined {
  const { directive, family, report } = source
  const { start, first, last } = text
  const host = readOneHost(source, first, start, 'host')
  if (last === undefined) return host === undefined ? undefined : { host, end: undefined }
  const both = spanIn(directive, start, first.length + 2 + last.length)
  if (family === 6) {
    report.error('address', 'Address range for IPv6 is not supported yet', both)
    return undefined
  }
  const end = readOneHost(source, last, start + first.length + 2, 'end host')
  if (host === undefined || end === undefined) return undefined
  const fault = rangeFault(host.literal, end.literal)
  if (fault === undefined) return { host, end }
  report.error(fault.code, fault.message, both)
  return undefined
}

/** What is wrong with a range whose ends are known; nothing is said while one is not. */
export function rangeFault(first: string | undefined, last: string | undefined) {
  if (first === undefined || last === undefined) return undefined
  const size = ipv4ToNumber(last) - ipv4ToNumber(first) + 1
  if (size < 1) {
    const message = `Invalid Range: ${first}-${last}: First value must be greater than or equal to the second value`
    return { code: 'address', message } as const
  }
  if (size <= LARGEST_RANGE) return undefined
  return { code: 'range', message: `a range of ${size} addresses is too long: at most ${LARGEST_RANGE}` } as const
}

function readOneHost(source: Source, text: string, offset: number, what: string): HostRef | undefined {
  const { directive, family, report } = source
  const at = spanIn(directive, offset, text.length)
  const host = readHost(text, family)
  if (host === undefined) {
    report.error('address', `invalid address (${text}) for real server (could not resolve ${what})`, at)
    return undefined
  }
  warnOfUnusualAddress(host, at, report)
  return host
}

/** ipvsadm's words, also those of `fallback`. */
export function readForwarding(word: string): Forwarding | undefined {
  return word === 'gate' || word === 'masq' || word === 'ipip' ? word : undefined
}
