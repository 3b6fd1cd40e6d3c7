import { ctime } from '../lib/ctime.ts'
import { printable } from '../lib/printable.ts'
import { version } from '../lib/version.ts'
import { entryOf, entryWording, purgedAt } from '../model/entry-wording.ts'
import type { AlertChannel, Event } from '../model/events.ts'

/** Syslog's severities, as far as the daemon has use for them. */
export type Severity = 'error' | 'warning' | 'notice' | 'info'

export interface Words {
  readonly severity: Severity
  /** One entry is one line of the log: no line break, no control character. */
  readonly lines: readonly string[]
}

export interface Speaker {
  readonly pid: number
  /** As it stands after `Linux Director v`. */
  readonly version: string
}

/** Longer than any line the daemon makes, short enough for one syslog message. */
const maxLineLength = 4000

/** What a refused configuration would have done is told as far as one reads it at night. */
const mostPlanLines = 20

/** An event in the words of Perl ldirectord where it has some (behaviour reference 4, 5.4); plain ones otherwise. */
export function wordEvent(event: Event, speaker: Speaker): Words {
  const word = wording[event.kind] as (event: Event, speaker: Speaker) => string | readonly string[]
  const lines = [word(event, speaker)].flat()
  return { severity: severityOf(event), lines: lines.map((line) => printable(line, maxLineLength)) }
}

/** The lines alone, spoken by this process. */
export function linesOf(event: Event): readonly string[] {
  return wordEvent(event, { pid: process.pid, version: `${version}-ng` }).lines
}

type Kind = Event['kind']
/** Every kind has its words: a new event does not compile without. */
type Wording = { readonly [K in Kind]: (e: Event & { kind: K }, speaker: Speaker) => string | readonly string[] }

const wording: Wording = {
  'virtual-added': (e) => `Added virtual server: ${e.virtual}`,
  'virtual-changed': (e) => `Changed virtual server: ${e.virtual}`,
  'virtual-purged': (e) => `Purged virtual server (${purgedAt(e.phase)}): ${e.virtual}`,
  ...entryWording,
  'real-draining': (e) => `Draining real server: ${entryOf(e)} ${orderedBy(e)}`,
  'real-disabled': (e) => `Disabled real server: ${entryOf(e)} ${orderedBy(e)}`,
  'real-drained': (e) => `Drained real server: ${entryOf(e)} ${endOfDrain(e)}`,
  'real-enabled': (e) => `Enabled real server: ${entryOf(e)} ${e.by === undefined ? 'time is up' : `by ${e.by}`}`,
  'maintenance-begun': (e) => `Maintenance of real server begun: ${entryOf(e)} ${e.file}: ${e.reason}`,
  'maintenance-ended': (e) => `Maintenance of real server ended: ${entryOf(e)} ${e.file}`,
  'state-file': (e) => e.text,
  drift: (e) => `IPVS table changed by others: ${e.text}`,
  'table-refused': (e) => `IPVS refused ${e.operation}: ${e.text}`,
  'table-unreadable': (e) => `Can not read the IPVS table: ${e.text}`,
  'table-readable': () => 'The IPVS table can be read again',
  'soft-failure': (e) => [
    `Soft failure real server: ${checked(e)} failure ${e.failures}/${e.failureCount}`,
    `Check failed: ${checked(e)}: ${e.result.detail}`,
  ],
  'failures-reset': (e) => `Resetting soft failure count: ${checked(e)}`,
  'real-state': (e) => `Real server is ${e.state}: ${checked(e)}: ${e.detail}`,
  'check-unknown': (e) => `Can not check real server: ${checked(e)}: ${e.detail}`,
  'check-warning': (e) => `Check of real server: ${checked(e)}: ${e.text}`,
  starting: (e, { version }) => `Starting Linux Director v${version} ${e.daemon ? 'as daemon' : `with pid: ${e.pid}`}`,
  // The blank at the end is Perl ldirectord's.
  invoked: (e) => `Invoking ldirectord invoked as: ${e.commandLine} `,
  terminated: (e) => `Linux Director Daemon terminated on signal: ${e.signal}`,
  'table-left': () => 'Leaving the IPVS table as it is for the next start',
  'reload-signal': () => 'Reloading Linux Director Daemon config on signal',
  'config-changed': (e) => [
    `Configuration file '${e.file}' has changed on disk`,
    e.reread ? ' - reread new configuration' : ' - ignore new configuration',
  ],
  'config-loaded': (e) => `Configuration loaded: virtual services ${e.virtuals}, real servers ${e.reals}`,
  'config-diagnostic': (e, { pid }) => headed(`${diagnosticHead(e, pid)}: `, e.text),
  'config-kept': (e) => `Keeping the running configuration: ${e.file} has errors`,
  'config-current': (e) => `Configuration file '${e.file}' is again the one in force`,
  'reload-refused': (e) => [
    ...e.reasons.map((reason) => `Refused new configuration: ${reason}`),
    ...e.plan.slice(0, mostPlanLines).map((line) => `Refused new configuration: it would do ipvsadm ${line}`),
    ...(e.plan.length > mostPlanLines ? [`Refused new configuration: and ${e.plan.length - mostPlanLines} more`] : []),
    `Keeping the running configuration: ${e.file} was refused`,
  ],
  'monitor-failed': (e) => `monitorfile ${e.file}: ${e.text}; its lines are lost until it works again`,
  'monitor-works': (e) => `monitorfile ${e.file}: works again, lines lost: ${e.lost}`,
  'alert-sent': (e) => `${sentBy[e.channel]}: ${e.subject}`,
  'alert-failed': (e) => `${failedBy[e.channel]}: ${e.target}: ${e.text}`,
  'alerts-lost': (e) => `Alerts not sent: ${e.count} (${sentBy[e.channel]} through ${e.target}): ${e.text}`,
  'script-ended': (e) => `${e.script} ${e.subject}: ${e.detail}`,
  'script-failed': (e) => `${e.script} ${e.subject} failed: ${e.detail}`,
  note: (e) => e.text,
  fault: (e) => headed('Internal error: ', e.text),
}

/** Perl ldirectord's words for mail (behaviour reference 5.3). */
const sentBy: Readonly<Record<AlertChannel, string>> = {
  smtp: 'emailalert',
  sendmail: 'emailalert',
  command: 'alertcommand',
  webhook: 'alertwebhook',
}
const failedBy: Readonly<Record<AlertChannel, string>> = {
  smtp: 'failed to send SMTP email message',
  sendmail: 'failed to send email message',
  command: 'alertcommand failed',
  webhook: 'alertwebhook failed',
}

function diagnosticHead(e: Event & { kind: 'config-diagnostic' }, pid: number): string {
  const place = e.at === undefined ? '' : ` reading file ${e.at.file} at line ${e.at.line}`
  return `${e.severity === 'error' ? 'Error' : 'Warning'} [${pid}]${place}`
}

/** Each line of a longer text carries the head, so that none of them can pass for a line of another kind. */
function headed(head: string, text: string): readonly string[] {
  return text.split('\n').map((line) => `${head}${line}`)
}

function checked(of: { readonly real: string; readonly identity: string }): string {
  return `${of.real} (${of.identity})`
}

function endOfDrain({ why, left = 0 }: { why: 'idle' | 'time'; left: number | undefined }): string {
  if (why === 'idle') return 'no connection is left'
  return left === 0 ? 'time is up' : `time is up, active connections left: ${left}`
}

function orderedBy({ by, reason, until }: { by: string; reason: string; until: number | undefined }): string {
  const time = until === undefined ? '' : ` until ${ctime(until)}`
  return `by ${by}${time}${reason === '' ? '' : `: ${reason}`}`
}

const severities: Partial<Record<Kind, Severity>> = {
  fault: 'error',
  'table-refused': 'error',
  'table-unreadable': 'error',
  'config-kept': 'error',
  'reload-refused': 'error',
  'alert-failed': 'warning',
  'alerts-lost': 'warning',
  'soft-failure': 'warning',
  'check-unknown': 'warning',
  'monitor-failed': 'warning',
  'script-failed': 'warning',
  'config-current': 'notice',
  'monitor-works': 'notice',
  'check-warning': 'warning',
  drift: 'warning',
  'real-quiesced': 'warning',
  'real-deleted': 'warning',
  'fallback-added': 'warning',
  'state-file': 'warning',
  'real-draining': 'notice',
  'real-drained': 'notice',
  'real-disabled': 'notice',
  'real-enabled': 'notice',
  'maintenance-begun': 'notice',
  'maintenance-ended': 'notice',
  'real-added': 'notice',
  'real-restored': 'notice',
  'fallback-deleted': 'notice',
  starting: 'notice',
  terminated: 'notice',
}

function severityOf(event: Event): Severity {
  if (event.kind === 'config-diagnostic') return event.severity
  if (event.kind === 'real-state') return event.state === 'down' ? 'warning' : 'notice'
  return severities[event.kind] ?? 'info'
}
