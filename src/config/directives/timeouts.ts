import { bareValue } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { type ConnectionTimeouts, longestTimeoutSeconds } from '../../model/timeouts.ts'

/** `TCP TCPFIN UDP` in seconds, as `ipvsadm --set` takes them: 0 leaves one as it is. */
export function decodeTimeouts(directive: Directive, report: Reporter): ConnectionTimeouts | undefined {
  const words = bareValue(directive).split(/\s+/)
  const [tcp, tcpFin, udp] = words.map((word) => (/^[0-9]{1,7}$/.test(word) ? Number(word) : Number.NaN))
  const numbers = [tcp, tcpFin, udp]
  if (words.length !== 3 || numbers.some((each) => each === undefined || !(each <= longestTimeoutSeconds))) {
    const message = `timeouts takes three numbers of seconds, each at most ${longestTimeoutSeconds}`
    report.error('value', message, directive.valueAt, 'write timeouts = TCP TCPFIN UDP, for example 900 120 300')
    return undefined
  }
  return { tcp: tcp ?? 0, tcpFin: tcpFin ?? 0, udp: udp ?? 0 }
}
