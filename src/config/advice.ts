import { unusedEscape } from '../check/simple/request.ts'
import type { Reporter, Span } from '../lib/diagnostics.ts'
import type { Directive } from '../lib/fields.ts'
import { type CheckSettings, checkOfService } from './check-plan.ts'
import { directivesInUse } from './check-text.ts'
import { GLOBAL_CHECK_DIRECTIVE } from './directives/check-fields.ts'
import type { Section } from './lexer.ts'
import type { ParsedFallback, ParsedReal, VirtualAddress } from './parsed.ts'
import type { SectionContext, SectionValues } from './section.ts'

/** ipvsadm's bound, in seconds: 31 days. */
const LONGEST_PERSISTENCE = 2_678_400

/** A section that was read: what is worth a remark though it loads. */
export interface Advised {
  readonly section: Section
  readonly values: SectionValues
  readonly address: VirtualAddress
  readonly settings: CheckSettings
  readonly reals: readonly ParsedReal[]
  /** The section's own. */
  readonly fallback: ParsedFallback | undefined
  readonly context: SectionContext
}

/** Warnings of what can have no effect, reads otherwise than it works, or will disappoint. */
export function adviseSection(advised: Advised): void {
  adviseService(advised)
  adviseUnused(advised)
  adviseTable(advised)
  adviseChecks(advised)
  for (const real of advised.reals) adviseReal(advised, real)
  adviseFallback(advised)
}

function reporterOf(advised: Advised): Reporter {
  return advised.context.report
}

function find({ section }: Advised, name: string): Directive | undefined {
  return section.directives.findLast((directive) => directive.name === name)
}

function isNegotiating({ settings }: Advised): boolean {
  return settings.type.word === 'negotiate' || settings.type.word === 'combined'
}

function adviseService(advised: Advised): void {
  const { settings, values, section } = advised
  if (!isNegotiating(advised)) return
  const report = reporterOf(advised)
  const at = find(advised, 'service')?.valueAt ?? section.opener.valueAt
  if (settings.service === 'none') {
    if (values.service === 'none' || settings.type.word === 'combined') return
    const why =
      advised.address.kind === 'fwmark' ? 'a firewall mark stands for no service' : 'no service is known for this port'
    const message = `${why}: its real servers are not checked and count as up`
    report.warn('advice', message, at, 'set service, or checktype = connect; checktype = on says that it is meant so')
    return
  }
  if (checkOfService(settings) !== undefined) return
  const instead = settings.isUdp ? 'a ping' : 'a TCP connect'
  const message = `service ${settings.service} is not acted on yet: its real servers are checked by ${instead}`
  report.warn('not-acted-on', message, at)
}

/** Only where the check is one that we have: of the others it is not known what they will look at. */
function adviseUnused(advised: Advised): void {
  const { settings, section, context } = advised
  const isKnown = !isNegotiating(advised) || settings.service === 'none' || checkOfService(settings) !== undefined
  if (!isKnown) return
  const inUse = directivesInUse(settings)
  const what = isNegotiating(advised) ? `service ${settings.service}` : `checktype ${settings.type.word}`
  for (const { name, nameAt } of section.directives) {
    const field = Object.hasOwn(context.checkFields, name) ? context.checkFields[name] : undefined
    if (field === undefined || inUse.has(name) || 'notYet' in field || name === GLOBAL_CHECK_DIRECTIVE) continue
    reporterOf(advised).warn('no-effect', `${name} has no effect with ${what}`, nameAt)
  }
}

function adviseTable(advised: Advised): void {
  const { values, address, context } = advised
  const report = reporterOf(advised)
  const isUdp = address.kind === 'address' && address.protocol === 'udp'
  adviseLimits(advised, report)
  const netmask = find(advised, 'netmask')
  if (netmask !== undefined && values.persistent === undefined) {
    report.warn('no-effect', 'netmask has no effect without persistent', netmask.nameAt)
  }
  const ops = find(advised, 'ops')
  if (ops !== undefined && values.ops && !isUdp) {
    report.warn('no-effect', 'ops has no effect on a service that is not udp', ops.nameAt)
  }
  adviseJitter(advised)
  const interval = find(advised, 'checkinterval')
  if (interval !== undefined && !context.globals.fork) {
    const message = `checkinterval in virtual service ${identityOf(address)} ignored when fork=no`
    report.warn('no-effect', message, interval.nameAt)
  }
}

/** The top level has its own remark: a section is told only what its own directives make of it. */
function adviseJitter(advised: Advised): void {
  const { values, context } = advised
  const { globals } = context
  const own = globals.fork ? values.checkinterval : undefined
  if (values.checkjitter === undefined && own === undefined) return
  const at = find(advised, 'checkjitter') ?? find(advised, 'checkinterval')
  adviseJitterAt(at, values.checkjitter ?? globals.checkjitter, { interval: own ?? globals.checkinterval, context })
}

interface Interval {
  readonly interval: number | undefined
  readonly context: Pick<SectionContext, 'report'>
}

/** @param jitter seconds, like the interval */
export function adviseJitterAt(
  directive: Directive | undefined,
  jitter: number | undefined,
  { interval = 10, context }: Interval,
): void {
  if (directive === undefined || jitter === undefined || jitter < interval) return
  const message = `checkjitter (${jitter}) is not less than checkinterval (${interval}): checks are moved by less than an interval`
  context.report.warn('range', message, directive.valueAt)
}

/** What the kernel's table refuses: the virtual service or the destination would never be in it. */
function adviseLimits(advised: Advised, report: Reporter): void {
  const { values, address, section } = advised
  const timeout = values.persistent
  if (timeout !== undefined && (timeout < 1 || timeout > LONGEST_PERSISTENCE)) {
    const at = find(advised, 'persistent')?.valueAt ?? section.opener.valueAt
    report.warn('range', `the table takes a persistence of 1 to ${LONGEST_PERSISTENCE} seconds only`, at)
  }
  if (address.kind === 'address' && address.port === 0 && timeout === undefined) {
    report.warn('range', 'the table takes port 0 with persistent only', section.opener.valueAt)
  }
}

/** As Perl ldirectord names a virtual service. */
export function identityOf(address: VirtualAddress): string {
  if (address.kind === 'fwmark') return `${address.family === 6 ? 'fwm6' : 'fwm'}:${address.mark}`
  const host = address.host.literal ?? address.host.text
  return `${address.protocol}:${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function adviseChecks(advised: Advised): void {
  const { settings, section } = advised
  const report = reporterOf(advised)
  const { options, service, type } = settings
  const connects = type.word === 'connect' || (type.word === 'combined' && type.connects > 0)
  if (service === 'mysql' && connects && !settings.isUdp) {
    const message = 'a connect check breaks off the greeting, which MySQL counts toward max_connect_errors'
    const at = find(advised, 'checktype')?.valueAt ?? section.opener.valueAt
    report.warn('advice', message, at, 'use checktype = negotiate with a login')
  }
  adviseSql(advised)
  adviseFtp(advised)
  adviseRequests(advised)
  const receive = find(advised, 'receive')
  if (receive !== undefined && options['httpmethod'] === 'HEAD' && directivesInUse(settings).has('httpmethod')) {
    const message = 'receive can never match: the reply to HEAD has no body'
    report.warn('advice', message, receive.nameAt, 'use httpmethod = GET')
  }
}

const sqlServices = new Set(['mysql', 'pgsql', 'oracle'])

/** Behaviour reference 3.7: a check without a user or a query is always down. */
function adviseSql(advised: Advised): void {
  const { settings, section } = advised
  const { service, options } = settings
  if (!sqlServices.has(service) || checkOfService(settings) === undefined || !isNegotiating(advised)) return
  const lacksRequest = hasRealWithoutRequest(advised)
  const missing = [
    options['login'] === '' ? 'login' : undefined,
    service === 'oracle' && options['database'] === '' ? 'database' : undefined,
    lacksRequest ? 'request' : undefined,
  ].filter((name) => name !== undefined)
  if (missing.length === 0) return
  const names = [missing.slice(0, -1).join(', '), ...missing.slice(-1)].filter((text) => text !== '').join(' and ')
  const at = find(advised, 'service')?.valueAt ?? section.opener.valueAt
  const message = `without ${names} every check of service ${service} fails`
  reporterOf(advised).warn('advice', message, at, 'or use checktype = ping')
}

/** Some real server is asked nothing but the default, `/`. */
function hasRealWithoutRequest(advised: Advised): boolean {
  return find(advised, 'request') === undefined && advised.reals.some((real) => real.pair === undefined)
}

/** No file of an FTP server has the name of the default. */
function adviseFtp(advised: Advised): void {
  const { settings } = advised
  const receive = find(advised, 'receive')
  if (settings.service !== 'ftp' || checkOfService(settings) === undefined || !isNegotiating(advised)) return
  if (receive === undefined || !hasRealWithoutRequest(advised)) return
  const message = 'receive can never match: without request no file is fetched'
  reporterOf(advised).warn('advice', message, receive.nameAt, 'set request to the path of a file')
}

/** What is sent or asked for as it stands, though it may have been written to mean more. */
function adviseRequests(advised: Advised): void {
  const { settings, reals } = advised
  if (checkOfService(settings) === undefined || !isNegotiating(advised)) return
  const tell = (text: string, at: Span): void => {
    const [message, hint] = remarkOnRequest(settings, text) ?? []
    if (message !== undefined) reporterOf(advised).warn('advice', message, at, hint)
  }
  const request = find(advised, 'request')
  if (request !== undefined) tell(request.value.replace(/^"|"$/g, ''), request.valueAt)
  for (const { pair, at } of reals) if (pair !== undefined) tell(pair.request, at)
}

function remarkOnRequest({ service, options }: CheckSettings, text: string): [string, string] | undefined {
  const unused = service === 'simpletcp' && options['escapes'] !== true ? unusedEscape(text) : undefined
  if (unused !== undefined) {
    return [`request holds ${unused}, which is sent as it stands`, 'escapes = yes makes it a byte']
  }
  // An IPv6 address has no dot either. Perl ldirectord's resolver may append the domains of this machine.
  if (service !== 'dns' || !/^\/?[^.:/]+$/.test(text)) return undefined
  return ['a name without a dot is asked for as it stands', 'write the name in full: no search list is used']
}

function adviseReal(advised: Advised, real: ParsedReal): void {
  const { address } = advised
  const report = reporterOf(advised)
  if (real.port !== 0 && real.effectivePort !== real.port) {
    const message = `${real.forwarding} cannot change the port: clients reach port ${real.effectivePort}, ${real.port} is only checked`
    report.warn('no-effect', message, real.at, `use masq, or port ${address.kind === 'address' ? address.port : 0}`)
  }
  const spec = real.plan.kind === 'probe' ? real.plan.spec : undefined
  const needsPort = spec !== undefined && spec.check.kind !== 'ping' && spec.check.kind !== 'external'
  if (needsPort && spec.port === 0) {
    report.warn(
      'advice',
      'there is no port to check, so every check fails',
      real.at,
      'give the real server a port, or set checkport',
    )
  }
  if (real.lower > real.upper) {
    const message = `the table refuses a lower threshold (${real.lower}) above the upper one (${real.upper})`
    report.warn('range', message, real.at, 'thresholds are written l:LOWER u:UPPER, in this order')
  }
}

function adviseFallback(advised: Advised): void {
  const { address, fallback } = advised
  if (fallback?.port === undefined || fallback.forwarding === 'masq' || address.kind === 'fwmark') return
  const port = fallback.port[address.protocol === 'udp' ? 'udp' : 'tcp']
  if (port === address.port) return
  const message = `${fallback.forwarding} cannot change the port: clients reach port ${address.port} of the fallback`
  reporterOf(advised).warn('no-effect', message, fallback.at, `use masq, or port ${address.port}`)
}
