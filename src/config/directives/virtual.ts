import { decodeNumber, decodeQuotedOrEmpty, decodeQuotedOrRaw, decodeYesNo, makeField } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { type CheckType, decodeCheckType } from './check-type.ts'
import { commonFields } from './common.ts'
import { optional, structural } from './directive.ts'
import { globalFields } from './global.ts'
import { decodeScheduler, decodeSchedulerFlags } from './scheduler.ts'
import { decodeService } from './service.ts'

/** Directives of a virtual section that are the config's own (behaviour reference 2.5); checks declare the others. */
export const virtualFields = {
  ...commonFields('virtual'),
  real: structural(
    'A real server: HOST[->HOST][:PORT] gate|masq|ipip [WEIGHT] ["request", "receive"] [l:N] [u:N].',
    '',
  ),
  real6: structural('As real, in a virtual6 section; the address in brackets.', ''),
  checktype: makeField<CheckType>({
    doc: 'connect, negotiate, ping, external, external-perl, on, off, or a number: so many connects between two negotiates.',
    fallback: 'negotiate',
    absent: { word: 'negotiate' },
    decode: decodeCheckType,
  }),
  service: optional({
    doc: 'What a negotiate check speaks.',
    fallback: 'by the port of the virtual service',
    decode: decodeService,
  }),
  checkport: optional({
    doc: 'Port to check instead of the port of the real server.',
    fallback: 'the port of the real server',
    decode: decodeCheckPort,
  }),
  scheduler: makeField<string>({
    doc: 'IPVS scheduler: rr, wrr, lc, wlc, sh …',
    fallback: 'wrr',
    absent: 'wrr',
    decode: decodeScheduler,
  }),
  schedflags: makeField<number>({
    doc: 'Flags of the scheduler, with commas: sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3.',
    fallback: '',
    absent: 0,
    decode: decodeSchedulerFlags,
  }),
  persistent: optional({
    doc: 'Seconds for which a client stays with its real server.',
    fallback: '',
    decode: (d, report) => decodeNumber(d, report, 'invalid persistent timeout'),
  }),
  netmask: structural(
    'With persistent: clients of one network count as one. A dotted quad, for IPv6 a prefix length.',
    '',
  ),
  protocol: structural('tcp or udp; fwm for a firewall mark.', 'tcp; udp for port 53'),
  ops: makeField<boolean>({
    doc: 'yes: every packet is scheduled by itself; udp only.',
    fallback: 'no',
    absent: false,
    decode: decodeYesNo,
  }),
  monitorfile: optional({
    doc: 'File that gets a line for every result of a check.',
    fallback: '',
    decode: (d, report) => decodeQuotedOrRaw(d, report, 'unable to open monitorfile : No such file or directory'),
  }),
  servicename: optional({ doc: 'Name of the service in alerts.', fallback: '', decode: (d) => d.value }),
  comment: optional({ doc: 'Text for alerts.', fallback: '', decode: (d) => d.value }),
  load: optional({ doc: 'Accepted and without effect, as in Perl ldirectord.', fallback: '', decode: decodeLoad }),
  connecttimeout: globalFields.connecttimeout,
}

function decodeCheckPort(directive: Directive, report: Reporter): number | undefined {
  if (!/[0-9]/.test(directive.value)) {
    report.error('value', 'invalid port', directive.valueAt, 'checkport takes a number, not a service name')
    return undefined
  }
  const port = decodeNumber(directive, report, 'invalid port')
  if (port !== undefined && port >= 1 && port <= 65_535) return port
  report.error('range', 'checkport must be in range 1..65536', directive.valueAt, 'the highest port is 65535')
  return undefined
}

function decodeLoad(directive: Directive, report: Reporter): string | undefined {
  const content = decodeQuotedOrEmpty(directive, report)
  if (content === undefined) return undefined
  if (/\w/.test(content)) {
    report.warn('not-acted-on', 'load has no effect, as in Perl ldirectord', directive.nameAt)
    return content
  }
  report.error('value', 'invalid string for load testing', directive.valueAt)
  return undefined
}
