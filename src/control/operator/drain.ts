import { destinationOf, type Real, type Virtual } from '../../config/model.ts'
import { destinationKeyOf } from '../../model/table.ts'
import type { ObservedDestination, ObservedTable } from '../../table/operation.ts'
import type { Connections } from './order.ts'

/**
 * How long an entry without active connections waits for the inactive ones. IPVS calls a TCP connection active until one
 * side has closed its half (ip_vs_proto_tcp.c: SYN states and ESTABLISHED); then it is inactive, for all forwarding
 * methods, and for up to two minutes after its last packet (FIN_WAIT, TIME_WAIT). Most of that is TIME_WAIT, which loses
 * nothing with its entry; the rest is last packets, and now and then an answer to a client that has closed its half.
 */
export const closingMs = 30_000

/** What successive looks at the table told of one drain. */
export interface DrainWatch {
  /** Looks that began after the order, or may have. */
  looks: number
  /** Monotonic: since when there is no active connection. */
  idleSince: number | undefined
  last: ObservedTable | undefined
}

export function entryOf(
  table: ObservedTable | undefined,
  virtual: Virtual,
  real: Real,
): ObservedDestination | undefined {
  const destination = destinationOf(real)
  if (destination === undefined) return undefined
  return table?.services.get(virtual.key)?.destinations.get(destinationKeyOf(destination))
}

export function connectionsOf(entry: ObservedDestination | undefined): Connections | undefined {
  return entry === undefined ? undefined : { active: entry.activeConnections, inactive: entry.inactiveConnections }
}

export interface Look {
  readonly table: ObservedTable
  readonly entry: ObservedDestination | undefined
  /** Monotonic milliseconds. */
  readonly now: number
}

/**
 * Whether nothing is left to wait for. Only a look that finds the entry at weight 0 counts: before that, new connections
 * may have come after it. Missing counts from the second look on, for the pass that read the first may have put it in.
 */
export function isIdle(watch: DrainWatch, { table, entry, now }: Look): boolean {
  if (watch.last !== table) watch.looks += 1
  watch.last = table
  if (entry === undefined) return watch.looks > 1
  if (entry.weight > 0 || entry.activeConnections > 0) {
    watch.idleSince = undefined
    return false
  }
  watch.idleSince ??= now
  return entry.inactiveConnections === 0 || now - watch.idleSince >= closingMs
}
