import type { Family, Protocol, ServiceKey } from '../model/service.ts'
import type { DestinationKey } from '../model/table.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type { ObservedDestination, ObservedService, TableBackend } from './operation.ts'

/**
 * Five numbers of `ipvsadm --stats` or `--rate`. The kernel has 64 bits for each; beyond 2^53 (nine petabytes) the last
 * digits are rounded.
 */
export interface Traffic {
  readonly connections: number
  readonly inPackets: number
  readonly outPackets: number
  readonly inBytes: number
  readonly outBytes: number
}

/** What went through a virtual service or a destination. The kernel brings both up to date every two seconds. */
export interface Counted {
  /** Since it was added or its counters were zeroed. */
  readonly totals: Traffic
  /** Per second, a sliding mean of the last seconds. */
  readonly rates: Traffic
}

/** How an ipip-like tunnel that is not plain ipip wraps its packets (ipvsadm --tun-type …). */
export interface Tunnel {
  readonly type: 'gue' | 'gre'
  /** UDP port of gue; 0 for gre. */
  readonly port: number
  readonly checksum: 'nocsum' | 'csum' | 'remcsum'
}

export interface DestinationDetails extends ObservedDestination, Counted {
  /** Persistence templates: clients that are bound to it. */
  readonly persistentConnections: number
  /** Undefined for every method but a tunnel other than ipip. */
  readonly tunnel: Tunnel | undefined
}

export interface ServiceDetails extends Omit<ObservedService, 'destinations'>, Counted {
  readonly destinations: ReadonlyMap<DestinationKey, DestinationDetails>
}

/** Every virtual service of the table, ours or not. */
export type DetailedTable = ReadonlyMap<ServiceKey, ServiceDetails>

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** One line of `ipvsadm -lnc`: a connection, or a template that binds a client to a destination (port 0 of the client). */
export interface Connection {
  /** `ip` is a template of a mark's service: its virtual address is the mark. */
  readonly protocol: Protocol | 'ip'
  readonly family: Family
  readonly client: Endpoint
  readonly virtual: Endpoint
  readonly destination: Endpoint
  /** The kernel's word: ESTABLISHED, TIME_WAIT, UDP, NONE, ASSURED … */
  readonly state: string
  /** Time left; the kernel tells whole seconds. */
  readonly expiresMs: number
  /** Of a template that a persistence engine made: its name and what it knows the client by, as the client sent it. */
  readonly engine: { readonly name: string; readonly data: string } | undefined
}

export interface ConnectionQuery {
  /** At most so many are given. */
  readonly limit: number
  /** Which are wanted; all when absent. */
  readonly accepts?: (connection: Connection) => boolean
}

export interface ConnectionList {
  readonly connections: readonly Connection[]
  /** There may be more: the limit was reached, or the table is longer than is read at once. */
  readonly isCut: boolean
}

export interface TableInfo {
  /** Of IPVS: `1.2.1`. */
  readonly version: string
  /** Buckets of the connection table. */
  readonly connectionTableSize: number
}

/**
 * The second door to an IPVS table: what an administrator reads, and the time-outs, which are no part of a service. The
 * adapters of TableBackend have it too. Every function rejects with TableError when the table cannot be asked.
 */
export interface TableDetails {
  /** All virtual services and destinations with their counters. No snapshot: they are read one after the other. */
  details(signal: AbortSignal): Promise<DetailedTable>
  timeouts(signal: AbortSignal): Promise<ConnectionTimeouts>
  /** 0 leaves one as it is. Rejects with code EINVAL for one that is no whole number from 0 to 31 days. */
  setTimeouts(timeouts: ConnectionTimeouts, signal: AbortSignal): Promise<void>
  /** In the kernel's order. Connections that come and go meanwhile may be missing or stand twice. */
  connections(query: ConnectionQuery, signal: AbortSignal): Promise<ConnectionList>
  info(signal: AbortSignal): Promise<TableInfo>
}

/** Both doors: what an adapter gives. */
export type IpvsTable = TableBackend & TableDetails
