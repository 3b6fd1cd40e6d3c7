import type { ServiceId, ServiceKey } from '../model/service.ts'
import type { Destination, DestinationKey, ServiceSettings } from '../model/table.ts'

/** One change of the kernel's table. `edit` replaces all the attributes it names and keeps those we cannot say. */
export type Operation =
  | { readonly kind: 'add-service'; readonly id: ServiceId; readonly settings: ServiceSettings }
  | { readonly kind: 'edit-service'; readonly id: ServiceId; readonly settings: ServiceSettings }
  | { readonly kind: 'delete-service'; readonly id: ServiceId }
  | { readonly kind: 'add-destination'; readonly id: ServiceId; readonly destination: Destination }
  | { readonly kind: 'edit-destination'; readonly id: ServiceId; readonly destination: Destination }
  | {
      readonly kind: 'delete-destination'
      readonly id: ServiceId
      readonly destination: Pick<Destination, 'address' | 'port'>
    }

/** The answer to one operation, in the order of the plan. */
export type Outcome =
  | { readonly operation: Operation; readonly ok: true }
  | { readonly operation: Operation; readonly ok: false; readonly error: TableError }

/** What the kernel reports of one destination. What we cannot say ourselves (local, bypass, gue, gre) stays in `other`. */
export interface ObservedDestination extends Omit<Destination, 'forwarding'> {
  readonly forwarding: Destination['forwarding'] | 'local' | 'bypass' | 'unknown'
  readonly activeConnections: number
  readonly inactiveConnections: number
}

export interface ObservedService extends ServiceSettings {
  readonly id: ServiceId
  /** Persistence engine (`sip`), empty when none. Kept by an edit. */
  readonly engine: string
  readonly destinations: ReadonlyMap<DestinationKey, ObservedDestination>
}

export interface ObservedTable {
  /** Only the services that were asked for, whole. */
  readonly services: ReadonlyMap<ServiceKey, ObservedService>
  /** Every service there is, ours or not: enough to tell that one exists. */
  readonly keys: ReadonlySet<ServiceKey>
}

/**
 * The one door to an IPVS table. Two adapters, one contract suite (test/contract).
 * `read` and `apply` reject with TableError when nothing can be said at all (no IPVS, not permitted, no answer);
 * an operation that the table refuses is an Outcome. Adding what exists and deleting what is gone are refusals
 * with code EEXIST and ENOENT (ESRCH for a service); callers treat them as normal.
 */
export interface TableBackend {
  /** Services outside `ours` are reported by key only. */
  read(ours: ReadonlySet<ServiceKey>, signal: AbortSignal): Promise<ObservedTable>
  /** In order; one refusal does not stop the rest. */
  apply(plan: readonly Operation[], signal: AbortSignal): Promise<readonly Outcome[]>
  close(): Promise<void>
}

/** The table refused. `code` is the errno's name (`EPERM`, `ENOENT`, `ESRCH`, `EEXIST` …) or `ETIMEDOUT` for no answer. */
export class TableError extends Error {
  override readonly name = 'TableError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
