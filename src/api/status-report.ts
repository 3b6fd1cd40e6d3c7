import { type Config, destinationOf, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import type { Health } from '../health/machine.ts'
import type { Phase } from '../model/events.ts'
import { formatService, hostPort, protocolOf, type ServiceKey } from '../model/service.ts'
import { type DestinationKey, destinationKeyOf } from '../model/table.ts'
import type { DownReason, UnknownReason, Verdict } from '../model/verdict.ts'
import type { Hold } from '../table/desired.ts'
import type { Counted } from '../table/details.ts'
import type { ObservedDestination, ObservedService } from '../table/operation.ts'
import type { IntentReport } from './intent-report.ts'
import { isoTime } from './iso-time.ts'
import type { RefusedReport } from './reload-routes.ts'

/** What `GET /v1/status` answers. Stable: fields are only ever added. Times are ISO 8601 in UTC. */
export interface StatusReport {
  readonly version: string
  readonly instance: string
  readonly pid: number
  readonly startedAt: string
  readonly config: string
  readonly phase: Phase
  /** Why the file that lies there now is not in force; null when it is, or was not read yet. */
  readonly refused: RefusedReport | null
  readonly virtuals: readonly VirtualStatus[]
  /** What operators and maintenance files hold out. */
  readonly intents: readonly IntentReport[]
  /** What others changed in the table and is left so. */
  readonly drift: readonly string[]
  /** Names without an address. */
  readonly unresolved: readonly string[]
}

export interface VirtualStatus {
  /** As in ipvsadm: `192.0.2.10:80`, `[2001:db8::1]:80`, `5` for a mark. */
  readonly virtual: string
  /** Unique: `tcp:192.0.2.10:80`, `fwm:5`. */
  readonly key: string
  readonly protocol: string
  readonly scheduler: string
  readonly persistentSeconds: number | null
  readonly checktype: string
  readonly service: string
  readonly inTable: boolean
  readonly up: number
  readonly reals: readonly RealStatus[]
  readonly fallback: EntryStatus | null
  /** Entries of the table that the file does not name. */
  readonly others: readonly EntryStatus[]
  /** Only when it was asked for. */
  readonly traffic?: Counted
}

export interface RealStatus {
  readonly real: string
  readonly host: string
  /** Port in the table, where it is another than the configured one. */
  readonly entry: string | null
  readonly forwarding: string
  readonly state: Health['state']
  readonly since: string
  /** Failures in a row while it is up; successes in a row while it is down. */
  readonly failures: number
  readonly successes: number
  readonly failureCount: number
  readonly successCount: number
  readonly last: LastStatus | null
  /** The operator's word, whatever the checks say. */
  readonly hold: { readonly as: Hold['as']; readonly reason: string } | null
  readonly configuredWeight: number
  /** Null: not in the table. */
  readonly kernelWeight: number | null
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly traffic?: Counted
}

export interface LastStatus {
  readonly verdict: Verdict
  readonly reason: DownReason | UnknownReason | null
  readonly detail: string
  readonly at: string
  readonly durationMs: number
}

/** The fallback, or an entry that is neither a real server of the file nor the fallback. */
export interface EntryStatus {
  readonly destination: string
  readonly forwarding: string
  /** Null: not in the table. */
  readonly kernelWeight: number | null
  readonly activeConnections: number
  readonly inactiveConnections: number
  readonly traffic?: Counted
}

/** What the director knows at this moment. */
export interface Known {
  readonly config: Config
  readonly phase: Phase
  readonly health: ReadonlyMap<RealKey, Health>
  readonly holds: ReadonlyMap<RealKey, Hold>
  readonly observed: { readonly services: ReadonlyMap<ServiceKey, SeenService> } | undefined
  readonly drift: readonly string[]
  readonly intents: readonly IntentReport[]
  readonly refused: RefusedReport | null
}

/** As a pass over the table read it, or with its counters. */
type SeenService = Omit<ObservedService, 'destinations'> &
  Partial<Counted> & { readonly destinations: ReadonlyMap<DestinationKey, SeenDestination> }
type SeenDestination = ObservedDestination & Partial<Counted>

/** This process, which `Known` does not tell of. */
export type Identity = Pick<StatusReport, 'version' | 'instance' | 'pid' | 'startedAt'>

export function statusReport(known: Known, identity: Identity): StatusReport {
  const { config, phase, drift, intents, refused } = known
  return {
    ...identity,
    config: config.file,
    phase,
    refused,
    virtuals: config.virtuals.map((virtual) => virtualStatus(virtual, known)),
    intents,
    drift,
    unresolved: config.unresolved,
  }
}

function virtualStatus(virtual: Virtual, known: Known): VirtualStatus {
  const { id, key, settings, checkType, service } = virtual
  const observed = known.observed?.services.get(key)
  const reals = virtual.reals.map((real) => realStatus(virtual, real, known))
  const fallback = virtual.fallback?.destination
  return {
    virtual: formatService(id),
    key,
    protocol: protocolOf(id),
    scheduler: settings.scheduler,
    persistentSeconds: settings.persistence?.timeoutSeconds ?? null,
    checktype: checkType,
    service,
    inTable: observed !== undefined,
    up: reals.filter((real) => real.state === 'up' && real.hold === null).length,
    reals,
    fallback:
      fallback === undefined ? null : entryStatus(fallback, observed?.destinations.get(destinationKeyOf(fallback))),
    others: othersOf(virtual, observed),
    ...trafficOf(observed),
  }
}

function entryStatus(
  destination: Pick<SeenDestination, 'address' | 'port' | 'forwarding'>,
  entry: SeenDestination | undefined,
): EntryStatus {
  const { address, port, forwarding } = destination
  const kernelWeight = entry?.weight ?? null
  return { destination: hostPort(address, port), forwarding, kernelWeight, ...connectionsOf(entry) }
}

function othersOf(virtual: Virtual, observed: SeenService | undefined): readonly EntryStatus[] {
  const named = [...virtual.reals.map(destinationOf), virtual.fallback?.destination].filter(
    (each) => each !== undefined,
  )
  const known = new Set(named.map(destinationKeyOf))
  return [...(observed?.destinations ?? [])]
    .filter(([key]) => !known.has(key))
    .map(([, entry]) => entryStatus(entry, entry))
}

export function realStatus(virtual: Virtual, real: Real, { health, holds, observed }: Known): RealStatus {
  const key = realKeyOf(virtual, real)
  const destination = destinationOf(real)
  const entry =
    destination === undefined
      ? undefined
      : observed?.services.get(virtual.key)?.destinations.get(destinationKeyOf(destination))
  const name = hostPort(real.address ?? real.host, real.port)
  const inTable = destination === undefined ? name : hostPort(destination.address, destination.port)
  const known = health.get(key)
  return {
    real: name,
    host: real.host,
    entry: inTable === name ? null : inTable,
    forwarding: real.forwarding,
    state: known?.state ?? 'pending',
    since: isoTime(known?.since ?? 0),
    failures: known?.failures ?? 0,
    successes: known?.successes ?? 0,
    failureCount: virtual.failureCount,
    successCount: virtual.successCount,
    last: lastOf(known),
    hold: holds.get(key) ?? null,
    configuredWeight: real.weight,
    kernelWeight: entry?.weight ?? null,
    ...connectionsOf(entry),
  }
}

function connectionsOf(entry: SeenDestination | undefined) {
  const { activeConnections = 0, inactiveConnections = 0 } = entry ?? {}
  return { activeConnections, inactiveConnections, ...trafficOf(entry) }
}

function trafficOf(seen: Partial<Counted> | undefined): { traffic?: Counted } {
  if (seen?.totals === undefined || seen.rates === undefined) return {}
  return { traffic: { totals: seen.totals, rates: seen.rates } }
}

function lastOf(health: Health | undefined): LastStatus | null {
  if (health?.last === undefined) return null
  const { result, at, durationMs } = health.last
  const reason = result.verdict === 'up' ? null : result.reason
  return { verdict: result.verdict, reason, detail: result.detail, at: isoTime(at), durationMs }
}
