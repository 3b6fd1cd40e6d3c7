import { type Config, destinationOf, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import type { Health } from '../health/machine.ts'
import type { Phase } from '../model/events.ts'
import { formatService, hostPort, protocolOf } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import type { DownReason, UnknownReason, Verdict } from '../model/verdict.ts'
import type { Hold } from '../table/desired.ts'
import type { ObservedDestination, ObservedTable } from '../table/operation.ts'

/** What `GET /v1/status` answers. Stable: fields are only ever added. Times are ISO 8601 in UTC. */
export interface StatusReport {
  readonly version: string
  readonly instance: string
  readonly pid: number
  readonly startedAt: string
  readonly config: string
  readonly phase: Phase
  /** Why the file that lies there now is not in force; null when it is, or was not read yet. */
  readonly refused: string | null
  readonly virtuals: readonly VirtualStatus[]
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
  readonly fallback: FallbackStatus | null
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
}

export interface LastStatus {
  readonly verdict: Verdict
  readonly reason: DownReason | UnknownReason | null
  readonly detail: string
  readonly at: string
  readonly durationMs: number
}

interface FallbackStatus {
  readonly fallback: string
  readonly inTable: boolean
  readonly activeConnections: number
  readonly inactiveConnections: number
}

/** What the director knows at this moment. */
export interface Known {
  readonly config: Config
  readonly phase: Phase
  readonly health: ReadonlyMap<RealKey, Health>
  readonly holds: ReadonlyMap<RealKey, Hold>
  readonly observed: ObservedTable | undefined
  readonly drift: readonly string[]
}

/** This process, which `Known` does not tell of. */
export type Identity = Pick<StatusReport, 'version' | 'instance' | 'pid' | 'startedAt' | 'refused'>

export function statusReport(known: Known, identity: Identity): StatusReport {
  const { config, phase, drift } = known
  return {
    ...identity,
    config: config.file,
    phase,
    virtuals: config.virtuals.map((virtual) => virtualStatus(virtual, known)),
    drift,
    unresolved: config.unresolved,
  }
}

function virtualStatus(virtual: Virtual, known: Known): VirtualStatus {
  const { id, key, settings, checkType, service } = virtual
  const observed = known.observed?.services.get(key)
  const reals = virtual.reals.map((real) => realStatus(virtual, real, known))
  const fallback = virtual.fallback?.destination
  const entry = fallback === undefined ? undefined : observed?.destinations.get(destinationKeyOf(fallback))
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
      fallback === undefined
        ? null
        : {
            fallback: hostPort(fallback.address, fallback.port),
            inTable: entry !== undefined,
            ...connectionsOf(entry),
          },
  }
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

function connectionsOf(entry: ObservedDestination | undefined) {
  const { activeConnections = 0, inactiveConnections = 0 } = entry ?? {}
  return { activeConnections, inactiveConnections }
}

function lastOf(health: Health | undefined): LastStatus | null {
  if (health?.last === undefined) return null
  const { result, at, durationMs } = health.last
  const reason = result.verdict === 'up' ? null : result.reason
  return { verdict: result.verdict, reason, detail: result.detail, at: isoTime(at), durationMs }
}

export function isoTime(at: number): string {
  return new Date(at).toISOString()
}
