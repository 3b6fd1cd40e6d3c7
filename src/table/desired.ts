import { destinationOf, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import type { Health } from '../health/machine.ts'
import { formatService, type ServiceKey } from '../model/service.ts'
import {
  type Destination,
  type DestinationKey,
  destinationKeyOf,
  type Table,
  type VirtualService,
} from '../model/table.ts'

/** Whom an entry of the table stands for, and why it is as it is. `absent`: configured, and not in the table now. */
export type Role =
  | {
      readonly kind: 'real'
      readonly key: RealKey
      readonly real: Real
      readonly state: 'up' | 'quiesced' | 'absent'
      readonly reason: string
    }
  | { readonly kind: 'fallback'; readonly host: string; readonly state: 'in' | 'absent'; readonly reason: string }

export type Roles = ReadonlyMap<ServiceKey, ReadonlyMap<DestinationKey, Role>>

/** What ought to be in the kernel now. `roles` has each entry of `table`; `absent` what is configured and left out. */
export interface Desired {
  readonly table: Table
  readonly roles: Roles
  readonly absent: Roles
}

/** What the operator wants of a real server, whatever the checks say of it. */
export interface Hold {
  /**
   * out: as if it were down. drain: no new connections; its entry stays, with weight 0. removed: its entry leaves. The last
   * two whatever quiescent says.
   */
  readonly as: 'out' | 'drain' | 'removed'
  /** One line. */
  readonly reason: string
}

export interface Known {
  readonly virtuals: readonly Virtual[]
  /** A real server without an entry has not been looked at: pending. */
  readonly health: ReadonlyMap<RealKey, Health>
  readonly maintenance: ReadonlyMap<RealKey, Hold>
  /** Virtual services whose fallback is serving now: it stays while nothing is known of the reals. */
  readonly fallbackInForce: ReadonlySet<ServiceKey>
}

/** Config, health and operator's intent in; the whole table out (behaviour reference 4, design 5). */
export function desired(known: Known): Desired {
  const table = new Map<ServiceKey, VirtualService>()
  const roles = new Map<ServiceKey, ReadonlyMap<DestinationKey, Role>>()
  const absent = new Map<ServiceKey, ReadonlyMap<DestinationKey, Role>>()
  for (const virtual of known.virtuals) {
    const pool = poolOf(virtual, known)
    table.set(virtual.key, { id: virtual.id, ...virtual.settings, destinations: pool.destinations })
    roles.set(virtual.key, pool.roles)
    absent.set(virtual.key, pool.absent)
  }
  return { table, roles, absent }
}

/** Whether the fallback is to serve now; undecided while nothing is known of a real server and none is up. */
export function fallbackStanding(
  virtual: Virtual,
  known: Pick<Known, 'health' | 'maintenance'>,
): 'in' | 'out' | 'undecided' {
  const lines = virtual.reals.map((real) => lineOf(virtual, real, known))
  if (lines.some((line) => line.standing === 'up')) return 'out'
  return lines.every((line) => line.standing !== 'pending') ? 'in' : 'undecided'
}

interface Line {
  readonly key: RealKey
  readonly real: Real
  readonly destination: Destination | undefined
  readonly standing: 'up' | 'pending' | 'out' | 'drained' | 'removed'
  readonly reason: string
}

interface Pool {
  readonly destinations: Map<DestinationKey, Destination>
  readonly roles: Map<DestinationKey, Role>
  readonly absent: Map<DestinationKey, Role>
}

function poolOf(virtual: Virtual, known: Known): Pool {
  const lines = virtual.reals.map((real) => lineOf(virtual, real, known))
  const pool: Pool = { destinations: new Map(), roles: new Map(), absent: new Map() }
  for (const [key, group] of byDestination(lines)) placeReal(pool, key, { group, quiescent: virtual.quiescent })
  placeFallback(pool, virtual, { lines, inForce: known.fallbackInForce.has(virtual.key) })
  return pool
}

function lineOf(virtual: Virtual, real: Real, known: Pick<Known, 'health' | 'maintenance'>): Line {
  const key = realKeyOf(virtual, real)
  const line = { key, real, destination: destinationOf(real) }
  const held = known.maintenance.get(key)
  if (held !== undefined) {
    return { ...line, standing: held.as === 'drain' ? 'drained' : held.as, reason: `in maintenance: ${held.reason}` }
  }
  const health = known.health.get(key)
  const detail = health?.last?.result.detail
  if (real.checking.kind === 'unresolved') return { ...line, standing: 'out', reason: real.checking.detail }
  switch (health?.state) {
    case 'up':
      return { ...line, standing: 'up', reason: detail ?? 'up' }
    case 'down':
      return { ...line, standing: 'out', reason: detail ?? 'down' }
    default:
      return { ...line, standing: 'pending', reason: 'not checked yet' }
  }
}

/** Lines that come to one entry of the table, in file order (gate with ports 81 and 82 both get the virtual's port). */
function byDestination(lines: readonly Line[]): Map<DestinationKey, Line[]> {
  const groups = new Map<DestinationKey, Line[]>()
  for (const line of lines) {
    if (line.destination === undefined) continue
    const key = destinationKeyOf(line.destination)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [line])
    else group.push(line)
  }
  return groups
}

interface Group {
  readonly group: readonly Line[]
  readonly quiescent: boolean
}

function placeReal(pool: Pool, at: DestinationKey, { group, quiescent }: Group): void {
  const up = group.findLast((line) => line.standing === 'up')
  const drained = group.findLast((each) => each.standing === 'drained')
  const line = up ?? drained ?? group.findLast((each) => each.standing !== 'removed') ?? group.at(-1)
  if (line?.destination === undefined) return
  const { key, real, reason, destination } = line
  if (up !== undefined) {
    pool.destinations.set(at, destination)
    pool.roles.set(at, { kind: 'real', key, real, state: 'up', reason })
  } else if (line.standing === 'drained' || (quiescent && line.standing !== 'removed')) {
    pool.destinations.set(at, { ...destination, weight: 0 })
    pool.roles.set(at, { kind: 'real', key, real, state: 'quiesced', reason })
  } else {
    pool.absent.set(at, { kind: 'real', key, real, state: 'absent', reason })
  }
}

interface Situation {
  readonly lines: readonly Line[]
  readonly inForce: boolean
}

function placeFallback(pool: Pool, virtual: Virtual, situation: Situation): void {
  const { fallback } = virtual
  if (fallback?.destination === undefined) return
  const at = destinationKeyOf(fallback.destination)
  const { isIn, reason } = judgeFallback(virtual, situation)
  const role: Role = { kind: 'fallback', host: fallback.host, state: isIn ? 'in' : 'absent', reason }
  if (isIn) {
    // It may be a real server of the same pool: then that one is not up, and the entry is the fallback's (defect D18).
    pool.destinations.set(at, fallback.destination)
    pool.roles.set(at, role)
    pool.absent.delete(at)
  } else if (!pool.roles.has(at)) {
    pool.absent.set(at, role)
  }
}

function judgeFallback(virtual: Virtual, { lines, inForce }: Situation): { isIn: boolean; reason: string } {
  if (lines.length === 0) return { isIn: true, reason: `${formatService(virtual.id)} has no real servers` }
  const up = lines.find((line) => line.standing === 'up')
  if (up !== undefined) return { isIn: false, reason: 'a real server is up' }
  if (lines.every((line) => line.standing !== 'pending')) return { isIn: true, reason: 'no real server is up' }
  return { isIn: inForce, reason: 'the real servers are not checked yet' }
}
