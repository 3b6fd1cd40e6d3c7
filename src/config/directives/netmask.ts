import { isIPv4 } from 'node:net'
import { bareValue } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { formatIPv4, isContiguousMask } from '../../lib/ip.ts'
import type { Family } from '../../model/service.ts'

/** The netmask of persistence: a dotted quad for IPv4, a prefix length for IPv6; undefined when absent or wrong. */
export function readNetmask(directive: Directive | undefined, family: Family, report: Reporter): string | undefined {
  if (directive === undefined) return undefined
  const bare = bareValue(directive)
  return family === 6 ? readPrefix(directive, bare, report) : readQuad(directive, bare, report)
}

function readPrefix(directive: Directive, bare: string, report: Reporter): string | undefined {
  if (/^[0-9]+$/.test(bare) && Number(bare) >= 1 && Number(bare) <= 128) return String(Number(bare))
  const message = 'invalid netmask: a prefix length between 1 and 128 is required'
  report.error('value', message, directive.valueAt)
  return undefined
}

function readQuad(directive: Directive, bare: string, report: Reporter): string | undefined {
  const isQuad = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/.test(bare)
  if (!isQuad) {
    const hint = /^\/?[0-9]{1,2}$/.test(bare) ? quadHint(Number(bare.replace('/', ''))) : undefined
    report.error('value', 'invalid netmask: dotted quad notation is required', directive.valueAt, hint)
    return undefined
  }
  const mask = bare
    .split('.')
    .map((part) => String(Number(part)))
    .join('.')
  if (!isIPv4(mask) || mask === '0.0.0.0') {
    report.warn('range', `"${bare}" is no netmask that ipvsadm takes: it is left out`, directive.valueAt)
    return undefined
  }
  if (!isContiguousMask(mask)) report.warn('advice', `${mask} has a gap in its bits`, directive.valueAt)
  return mask
}

function quadHint(prefix: number): string | undefined {
  if (prefix < 1 || prefix > 32) return undefined
  const bits = (2 ** prefix - 1) * 2 ** (32 - prefix)
  return `for a prefix of ${prefix} write ${formatIPv4(bits)}`
}
