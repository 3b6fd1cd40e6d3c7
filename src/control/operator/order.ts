import type { Real, RealKey, Virtual } from '../../config/model.ts'
import { hostPort } from '../../model/service.ts'

declare const orderKey: unique symbol
/** A real server by its virtual service, host and port as configured: a changed check or weight is still the same one. */
export type OrderKey = string & { readonly [orderKey]: true }

export function orderKeyOf({ virtual, real }: { readonly virtual: Virtual; readonly real: Real }): OrderKey {
  return `${virtual.key} ${hostPort(real.host, real.port)}` as OrderKey
}

/** What an operator ordered for one real server. Moments are wall clock, milliseconds since 1970. */
export interface Order {
  /** The virtual service's key: `tcp:192.0.2.10:80`, `fwm:5`. */
  readonly virtual: string
  /** Host and port as configured. */
  readonly real: string
  readonly action: 'drain' | 'disable'
  /** One printable line, empty when none was given. */
  readonly reason: string
  /** Who ordered it, as far as is known. */
  readonly by: string
  readonly since: number
  /** disable: when it ends by itself. drain: when it stops waiting for connections. Undefined: never. */
  readonly until: number | undefined
  /** drain: when the last connection had gone, or time was up; its entry is out of the table since. */
  readonly drainedAt: number | undefined
}

export function keyOfOrder(order: Pick<Order, 'virtual' | 'real'>): OrderKey {
  return `${order.virtual} ${order.real}` as OrderKey
}

export interface Connections {
  readonly active: number
  readonly inactive: number
}

/** One thing that holds a real server out, for whoever shows it. */
export interface Intent {
  /** Its line of the configuration; undefined when the configuration does not have it now. */
  readonly key: RealKey | undefined
  readonly virtual: string
  readonly real: string
  readonly action: 'drain' | 'disable' | 'maintenance'
  readonly state: 'draining' | 'drained' | 'disabled' | 'maintenance'
  readonly reason: string
  /** The operator, or the path of the maintenance file. */
  readonly by: string
  /** Wall clock, milliseconds since 1970. For a maintenance file: when it was seen first. */
  readonly since: number
  /** Wall clock: when a disable ends, when a drain waits no longer. Undefined: not by itself. */
  readonly until: number | undefined
  /** While draining: what its entry had at the last look at the table, five seconds ago at most. */
  readonly connections: Connections | undefined
}
