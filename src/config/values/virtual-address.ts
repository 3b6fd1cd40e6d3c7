import { bareValue, firstWord, spanIn } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { parseIPv4 } from '../../lib/ip.ts'
import type { Family } from '../../model/service.ts'
import type { VirtualAddress } from '../parsed.ts'
import type { ServiceNames } from '../services.ts'
import { portHint, readHost, readPort, warnOfUnusualAddress } from './host.ts'

/** The largest firewall mark (a 32-bit field of the packet). */
const LARGEST_MARK = 0xffff_ffff

export interface VirtualValue {
  readonly opener: Directive
  readonly protocol: Directive | undefined
  readonly services: ServiceNames
}

/** What a `virtual =` line stands for (behaviour reference 2.6); undefined after a report. */
export function readVirtualAddress(value: VirtualValue, report: Reporter): VirtualAddress | undefined {
  const { opener } = value
  const family: Family = opener.name === 'virtual6' ? 6 : 4
  const text = opener.value
  const match = /^([A-Za-z0-9._+-]+|\[[0-9A-Fa-f:.]*\]):([\w-]+)/.exec(text)
  if (match !== null) {
    const [all, host = '', port = ''] = match
    warnOfRest(opener, all.length, report)
    return readAddress({ ...value, family, host, port }, report)
  }
  const digits = /^[0-9]+/.exec(text)?.[0]
  if (digits !== undefined) return readMark({ ...value, family, digits }, report)
  const hint = hintFor(text, opener.name)
  report.error('address', 'invalid address for virtual server', opener.valueAt, hint)
  readProtocol({ ...value, isMark: false, fallback: 'tcp' }, report)
  return undefined
}

function hintFor(text: string, name: string): string {
  if (text.startsWith('"')) return 'write the address without quotes'
  if (/^\[.*\]$/.test(text.trim())) return `a port is needed: ${name} = ${text.trim()}:80`
  return name === 'virtual6' ? 'write [ADDRESS]:PORT or a firewall mark' : 'write ADDRESS:PORT or a firewall mark'
}

interface AddressParts extends VirtualValue {
  readonly family: Family
  readonly host: string
  readonly port: string
}

function readAddress(parts: AddressParts, report: Reporter): VirtualAddress | undefined {
  const { opener, family, services } = parts
  const udpPort = parts.port === '53' || parts.port === 'domain'
  const protocol = readProtocol({ ...parts, isMark: false, fallback: udpPort ? 'udp' : 'tcp' }, report)
  const hostAt = spanIn(opener, 0, parts.host.length)
  const portAt = spanIn(opener, parts.host.length + 1, parts.port.length)
  if (parts.host.startsWith('[') && family === 4) {
    const message = 'cannot specify an IPv6 address here. please use "virtual6" instead.'
    report.error('address', message, hostAt, 'write virtual6 instead of virtual')
    return undefined
  }
  const host = readHost(parts.host, family)
  if (host === undefined) {
    const isLiteral = parts.host.startsWith('[')
    const message = isLiteral ? 'invalid ipv6 address for virtual server' : 'invalid address for virtual service'
    report.error('address', message, hostAt, family === 6 ? 'an IPv6 address stands in brackets' : undefined)
  } else {
    warnOfUnusualAddress(host, hostAt, report)
  }
  const port = readPort(parts.port, [protocol === 'udp' ? 'udp' : 'tcp'], services)
  if (port === undefined) {
    report.error('address', 'invalid address for virtual service', portAt, portHint(parts.port, protocol ?? 'tcp'))
  }
  if (host === undefined || port === undefined || protocol === undefined || protocol === 'fwm') return undefined
  return { kind: 'address', family, protocol, host, port }
}

interface MarkParts extends VirtualValue {
  readonly family: Family
  readonly digits: string
}

function readMark(parts: MarkParts, report: Reporter): VirtualAddress | undefined {
  const { opener, digits, family } = parts
  const mark = Number(digits)
  const protocol = readProtocol({ ...parts, isMark: true, fallback: 'fwm' }, report)
  if (mark > LARGEST_MARK) {
    report.error('range', `the highest firewall mark is ${LARGEST_MARK}`, opener.valueAt)
    return undefined
  }
  const bare = bareValue(opener).trim()
  if (bare.includes('.') && parseIPv4(bare) !== undefined) {
    const message = `an address without a port is read as firewall mark ${mark}`
    report.warn('misread', message, opener.valueAt, `for an address and port write ${opener.name} = ${bare}:80`)
  } else {
    warnOfRest(opener, digits.length, report)
  }
  if (mark === 0) report.warn('range', 'the kernel refuses firewall mark 0', opener.valueAt)
  return protocol === undefined ? undefined : { kind: 'fwmark', family, mark }
}

interface ProtocolParts extends VirtualValue {
  readonly isMark: boolean
  readonly fallback: 'tcp' | 'udp' | 'fwm'
}

function readProtocol(parts: ProtocolParts, report: Reporter): 'tcp' | 'udp' | 'fwm' | undefined {
  const { protocol, isMark, fallback } = parts
  if (protocol === undefined) return fallback
  const word = firstWord(protocol)
  if (word === undefined) {
    report.error('value', 'invalid protocol', protocol.valueAt)
    return undefined
  }
  if (isMark && word.text === 'fwm') return 'fwm'
  if (!isMark && (word.text === 'tcp' || word.text === 'udp')) return word.text
  const message = isMark
    ? 'protocol must be fwm if the virtual service is a fwmark (a number)'
    : 'protocol must be tcp or udp if the virtual service is an address and port'
  const lower = word.text.toLowerCase()
  const hint = lower !== word.text && /^(tcp|udp|fwm)$/.test(lower) ? `did you mean "${lower}"?` : undefined
  report.error('value', message, word.at, hint)
  return undefined
}

function warnOfRest(opener: Directive, length: number, report: Reporter): void {
  const rest = opener.value.slice(length)
  if (/^\s*(#|$)/.test(rest)) return
  const at = spanIn(opener, length, rest.trimEnd().length)
  report.warn('misread', `what follows "${opener.value.slice(0, length)}" is ignored`, at)
}
