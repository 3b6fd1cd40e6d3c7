import type { AnyCheck } from '../check/contract.ts'
import { decodePattern, makeRequest } from '../check/fields.ts'
import type { Registry } from '../check/registry.ts'
import type { Reporter } from '../lib/diagnostics.ts'
import type { CheckType } from './directives/check-type.ts'
import { portOfService } from './directives/service.ts'
import type { CheckPlan, ProbeSpec, RealLine } from './parsed.ts'

/** What a section says of its checks, once its directives are read. */
export interface CheckSettings {
  readonly registry: Registry
  readonly type: CheckType
  readonly service: string
  /** The virtual service is UDP: a TCP connect would say nothing (behaviour reference 3.3). */
  readonly isUdp: boolean
  /** The virtual service is a firewall mark, which may stand for both protocols. */
  readonly isMark: boolean
  readonly checkPort: number | undefined
  readonly timeouts: Timeouts
  /** By directive name, decoded. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface Timeouts {
  readonly checktimeout: number
  readonly negotiatetimeout: number
}

/** How the state of one real server is found (behaviour reference 3.1, 3.3). */
export function planCheck(settings: CheckSettings, real: RealLine, report: Reporter): CheckPlan {
  const { type } = settings
  if (type.word === 'on' || type.word === 'off') return { kind: type.word }
  const specOf = (check: AnyCheck): ProbeSpec => makeSpec(settings, { check, real }, report)
  if (type.word === 'negotiate' || type.word === 'combined') {
    if (settings.service === 'none') return noService(settings, real, report)
    const negotiate = specOf(checkOfService(settings) ?? reachabilityCheck(settings))
    if (type.word !== 'combined') return { kind: 'probe', spec: negotiate }
    return { kind: 'combined', connects: type.connects, negotiate, connect: specOf(reachabilityCheck(settings)) }
  }
  const check = type.word === 'connect' ? reachabilityCheck(settings) : checkOfType(settings, type.word)
  return { kind: 'probe', spec: specOf(check) }
}

/** With no service, the negotiate of the number form always succeeds; its connects still tell. */
function noService(settings: CheckSettings, real: RealLine, report: Reporter): CheckPlan {
  const { type } = settings
  if (type.word !== 'combined' || type.connects === 0) return { kind: 'on' }
  return { kind: 'probe', spec: makeSpec(settings, { check: reachabilityCheck(settings), real }, report) }
}

/** The check of the section's service, if this program has it. */
export function checkOfService(settings: Pick<CheckSettings, 'registry' | 'service'>): AnyCheck | undefined {
  return settings.registry.ofService(settings.service)
}

/** A TCP connect, for a udp virtual service a ping. */
function reachabilityCheck(settings: CheckSettings): AnyCheck {
  return checkOfType(settings, settings.isUdp ? 'ping' : 'connect')
}

function checkOfType({ registry }: CheckSettings, name: string): AnyCheck {
  const check = registry.ofType(name)
  if (check === undefined) throw new Error(`the registry has no check ${name}`)
  return check
}

interface SpecParts {
  readonly check: AnyCheck
  readonly real: RealLine
}

function makeSpec(settings: CheckSettings, { check, real }: SpecParts, report: Reporter): ProbeSpec {
  const options = optionsOf(settings, { check, real }, report)
  return {
    check,
    port: checkPortOf(settings, real.port),
    transport: transportOf(settings, check),
    options,
    timeoutMs: settings.timeouts[check.timeout] * 1000 * attemptsOf(check, options),
  }
}

function transportOf({ isUdp, isMark }: CheckSettings, { kind, transportForMark }: AnyCheck): 'tcp' | 'udp' {
  if (isMark) return transportForMark ?? 'tcp'
  return isUdp && kind === 'negotiate' ? 'udp' : 'tcp'
}

/** checkport, else the real server's port, else the service's; 0 when there is none (behaviour reference 3.1). */
export function checkPortOf(settings: CheckSettings, realPort: number): number {
  if (settings.checkPort !== undefined) return settings.checkPort
  return realPort > 0 ? realPort : portOfService(settings.service, settings.registry)
}

/** Each attempt of a ping has the whole check time-out (behaviour reference 3.2). */
function attemptsOf(check: AnyCheck, options: Readonly<Record<string, unknown>>): number {
  const count = options['checkcount']
  return check.kind === 'ping' && typeof count === 'number' ? Math.min(1000, count) : 1
}

/** The section's options that the check declares; a real server's own pair takes the place of request and receive. */
function optionsOf({ options }: CheckSettings, { check, real }: SpecParts, report: Reporter) {
  const { pair } = real
  const chosen: Record<string, unknown> = {}
  for (const name of Object.keys(check.fields)) chosen[name] = options[name]
  if (pair === undefined) return chosen
  const { request, receive, receivePlace } = pair
  if ('request' in chosen) chosen['request'] = makeRequest(request, true)
  if ('receive' in chosen) chosen['receive'] = decodePattern(receive, receivePlace, report)
  return chosen
}
