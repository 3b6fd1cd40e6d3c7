import { type Decode, decodeQuoted, decodeQuotedOrEmpty, decodeRaw, decodeYesNo, makeField } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import { facilityNames, facilityNumber } from '../../lib/facility.ts'
import type { Directive, Field } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'
import { commonFields } from './common.ts'
import { oneOf, optional } from './directive.ts'
import { decodeTimeouts } from './timeouts.ts'

function yesNo(doc: string, absent: boolean): Field<boolean> {
  return makeField<boolean>({
    doc,
    fallback: absent ? 'yes' : 'no',
    absent,
    decode: (d, report) => decodeYesNo(d, report),
  })
}

/** A raw value at the top level keeps what looks like a comment: said, because it does not read so. */
const rawAtTop =
  (emptyMessage: string): Decode<string> =>
  (directive, report) => {
    if (/\s#/.test(directive.value)) {
      report.warn(
        'misread',
        `${directive.name} takes the whole line: "#" does not begin a comment here`,
        directive.valueAt,
      )
    }
    return decodeRaw(directive, report, emptyMessage)
  }

const deprecated = (doc: string, message: string) =>
  optional<never>({
    doc,
    fallback: '',
    decode: (d, report) => {
      report.error('deprecated', message, d.nameAt)
      return undefined
    },
  })

/** Directives of the top level (behaviour reference 2.4). */
export const globalFields = {
  ...commonFields('global'),
  autoreload: yesNo('yes: the file is read again when it changes.', false),
  callback: optional({
    doc: 'Executable that runs, with the path of the configuration, when the file has changed.',
    fallback: '',
    decode: decodeQuotedOrEmpty,
  }),
  logfile: makeField<string>({
    doc: 'Log file when it starts with "/", else a syslog facility.',
    fallback: '"/var/log/ldirectord.log"',
    absent: '/var/log/ldirectord.log',
    decode: decodeLogfile,
  }),
  execute: optional({
    doc: 'Another configuration, with a director of its own that is started, reloaded and stopped with this one; may be given several times.',
    fallback: '',
    decode: rawAtTop('no configuration specified'),
  }),
  supervised: yesNo('yes: stay in the foreground and log to standard output.', false),
  fork: yesNo('Accepted for compatibility; yes makes checkinterval of a virtual section count.', false),
  readdquiescent: yesNo('yes: an entry that others deleted comes back with weight 0 while its server is down.', false),
  emailalertfrom: optional({
    doc: 'Sender of the mails; without it the account of the daemon at this host.',
    fallback: '',
    decode: rawAtTop('no email from address specified'),
  }),
  maintenancedir: optional({
    doc: 'Folder: a file in it with the name or address of a real server, with or without port, takes that server out.',
    fallback: '',
    decode: rawAtTop('maintenance directory not specified'),
  }),
  drift: makeField<'report' | 'repair'>({
    doc: 'What is done about a weight or a destination that somebody else changed: it is reported, or put back.',
    fallback: 'report',
    absent: 'report',
    decode: oneOf(['report', 'repair']),
  }),
  logformat: optional<'text' | 'json'>({
    doc: 'Lines of the log: text as Perl ldirectord writes them, or one JSON object for each event, in file, syslog and standard output.',
    fallback: 'text',
    decode: oneOf(['text', 'json']),
  }),
  reloadguard: optional({
    doc: 'yes: a new file that names no virtual service, or leaves one with none of its real servers that are up, is refused.',
    fallback: 'yes',
    decode: decodeYesNo,
  }),
  timeouts: optional({
    doc: 'Seconds after which the kernel forgets an idle connection: TCP, TCP after a FIN, UDP; 0 leaves it as it is. Set at start and reload.',
    fallback: '',
    decode: decodeTimeouts,
  }),
  connecttimeout: deprecated(
    'Refused: use negotiatetimeout.',
    'connecttimeout directive deprecated in favour of negotiatetimeout',
  ),
  timeout: deprecated(
    'Refused: use checktimeout and negotiatetimeout.',
    'timeout directive deprecated in favour of checktimeout and negotiatetimeout',
  ),
}

function decodeLogfile(directive: Directive, report: Reporter): string | undefined {
  const logfile = decodeQuoted(directive, report, 'unable to open logfile: ')
  if (logfile === undefined || logfile.startsWith('/') || facilityNumber(logfile) !== undefined) return logfile
  const hint = didYouMean(logfile, facilityNames) ?? 'a file needs its whole path'
  report.warn('value', `syslog has no facility "${logfile}": nothing is logged there`, directive.valueAt, hint)
  return logfile
}
