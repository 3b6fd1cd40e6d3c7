import type { Reporter, Span } from '../../lib/diagnostics.ts'
import { normaliseIPv6, parseIPv4 } from '../../lib/ip.ts'
import type { Family } from '../../model/service.ts'
import type { HostRef } from '../parsed.ts'
import type { ServiceNames } from '../services.ts'

/** Undefined for what can be no host of that family: a literal of the other one, or text that no resolver could take. */
export function readHost(text: string, family: Family): HostRef | undefined {
  const inBrackets = /^\[(.*)\]$/.exec(text)?.[1]
  if (inBrackets !== undefined) {
    const literal = family === 6 ? normaliseIPv6(inBrackets) : undefined
    return literal === undefined ? undefined : { text: inBrackets, family, literal }
  }
  const numeric = parseIPv4(text)
  if (numeric !== undefined) return family === 4 ? { text, family, literal: numeric.address } : undefined
  // A name whose last label is a number is a mistyped address; no public or local zone has such names (RFC 1123 2.1).
  const isName = text.length <= 253 && /^[A-Za-z0-9._+-]+$/.test(text) && !/(^|\.)[0-9]+\.?$/.test(text)
  return isName ? { text, family, literal: undefined } : undefined
}

/** Says how the C library reads an address that is not four plain numbers (defect D38). */
export function warnOfUnusualAddress(host: HostRef, at: Span, report: Reporter): void {
  if (host.literal === undefined || host.family === 6 || host.literal === host.text) return
  const message = `${host.text} is read as ${host.literal}`
  report.warn('misread', message, at, 'a part with a leading 0 is octal, and missing parts are filled up')
}

/** A port number or a name of the services database; undefined when it is neither. */
export function readPort(text: string, protocols: readonly ('tcp' | 'udp')[], services: ServiceNames) {
  if (/^[0-9]+$/.test(text)) return Number(text) <= 65_535 ? Number(text) : undefined
  for (const protocol of protocols) {
    const port = services.portOf(text, protocol)
    if (port !== undefined) return port
  }
  return undefined
}

/** Why a port was not understood, as a hint. */
export function portHint(text: string, protocol: string): string {
  if (/^[0-9]+$/.test(text)) return 'the highest port is 65535'
  return `the services database has no "${text}" for ${protocol}`
}
