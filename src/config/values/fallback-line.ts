import { bareValue, spanIn } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import type { Family } from '../../model/service.ts'
import type { HostRef, ParsedFallback } from '../parsed.ts'
import type { ServiceNames } from '../services.ts'
import { portHint, readHost, readPort, warnOfUnusualAddress } from './host.ts'
import { forwardingHint } from './real-flags.ts'
import { readForwarding } from './real-line.ts'

export interface FallbackRules {
  readonly services: ServiceNames
  /** The protocols that a port name must be known for. */
  readonly protocols: readonly ('tcp' | 'udp')[]
}

/** `SERVER[:PORT] [FWD]`: only the last one or two words count (behaviour reference 2.9); undefined after a report. */
export function readFallback(directive: Directive, rules: FallbackRules, report: Reporter): ParsedFallback | undefined {
  const bare = bareValue(directive)
  const words = [...bare.matchAll(/\S+/g)]
  const server = words.at(-2) ?? words.at(-1)
  const forwardingWord = words.length > 1 ? words.at(-1) : undefined
  warnOfExtra(directive, words, report)
  const forwarding = forwardingWord === undefined ? 'gate' : readForwarding(forwardingWord[0])
  if (forwarding === undefined && forwardingWord !== undefined) {
    const at = spanIn(directive, forwardingWord.index, forwardingWord[0].length)
    report.error('value', 'forward method must be gate, masq or ipip', at, forwardingHint(forwardingWord[0]))
  }
  const place = readServer({ directive, text: server?.[0] ?? '', offset: server?.index ?? 0 }, rules, report)
  if (forwarding === undefined || place === undefined) return undefined
  return { at: directive.valueAt, forwarding, ...place }
}

function warnOfExtra(directive: Directive, words: readonly RegExpExecArray[], report: Reporter): void {
  const [first, last] = [words[0], words.at(-3)]
  if (first === undefined || last === undefined) return
  const length = last.index + last[0].length - first.index
  report.warn('misread', 'only the last two words count', spanIn(directive, first.index, length))
}

interface ServerText {
  readonly directive: Directive
  readonly text: string
  readonly offset: number
}

function readServer(server: ServerText, rules: FallbackRules, report: Reporter) {
  const [, hostText = '', portText] = /^(.*?)(?::([\w-]+))?$/.exec(server.text) ?? []
  const host = readFallbackHost({ ...server, text: hostText }, report)
  if (portText === undefined) return host === undefined ? undefined : { host, port: undefined }
  const ports = rules.protocols.map((protocol) => readPort(portText, [protocol], rules.services))
  const tcp = ports[0]
  const udp = ports.length > 1 ? ports[1] : tcp
  if (tcp === undefined || udp === undefined) {
    const at = spanIn(server.directive, server.offset + hostText.length + 1, portText.length)
    const missing = rules.protocols[ports.indexOf(undefined)] ?? 'tcp'
    report.error('address', 'invalid port for fallback server', at, portHint(portText, missing))
    return undefined
  }
  return host === undefined ? undefined : { host, port: { tcp, udp } }
}

function readFallbackHost({ directive, text, offset }: ServerText, report: Reporter): HostRef | undefined {
  const family: Family = directive.name === 'fallback6' ? 6 : 4
  const at = spanIn(directive, offset, text.length)
  if (text === '') {
    report.warn('misread', 'an empty fallback is read as the loopback address', directive.valueAt)
    return family === 6 ? { text: '::1', family, literal: '::1' } : { text: '127.0.0.1', family, literal: '127.0.0.1' }
  }
  const host = readHost(text, family)
  if (host === undefined) {
    const message = `invalid IPv${family} address or could not resolve for fallback server: ${text}`
    report.error('address', message, at, family === 6 ? 'an IPv6 address stands in brackets' : undefined)
    return undefined
  }
  warnOfUnusualAddress(host, at, report)
  return host
}
