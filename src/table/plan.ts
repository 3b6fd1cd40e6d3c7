import type { ServiceKey } from '../model/service.ts'
import type { DestinationKey, Table } from '../model/table.ts'
import type { Desired, Role } from './desired.ts'
import type { ObservedTable, Operation } from './operation.ts'

/** What we last wrote, or found as we want it, and saw confirmed. It tells a hand edit from a failed operation. */
export type Applied = Table
export const emptyApplied: Applied = new Map()

/** `full` makes a virtual service equal to the file (start, reload); `running` leaves hand edits as the policy says. */
export type Mode = 'full' | 'running'

/** start: equal to the file. state: a check's verdict. restore: the service was gone. gone: it left the file. */
export type Cause = 'start' | 'state' | 'config' | 'repair' | 'restore' | 'foreign' | 'gone'

export interface Step {
  readonly operation: Operation
  readonly virtual: ServiceKey
  /** Whom the entry stands for; none for a service and for what the file does not name. */
  readonly role?: Role
  readonly cause: Cause
  /** One sentence, without the name of the entry. */
  readonly reason: string
  /** An add of what we believed to be there: a dump may have missed it. */
  readonly unexpected: boolean
}

/** What somebody else made otherwise, and what is left so. */
export interface Drift {
  readonly virtual: ServiceKey
  readonly destination: DestinationKey | undefined
  readonly kind: 'service-changed' | 'destination-changed' | 'destination-missing' | 'destination-foreign'
  /** One sentence with names: how it is, and how we would have it. */
  readonly text: string
}

export interface Plan {
  /** In the order in which they are sent. */
  readonly steps: readonly Step[]
  readonly drift: readonly Drift[]
  /** Services that keep an entry with weight that no step touches, so that their pool cannot become empty. */
  readonly standing: ReadonlySet<ServiceKey>
}

export interface DiffInput {
  readonly actual: ObservedTable
  readonly desired: Desired
  readonly applied: Applied
  readonly mode: Mode | ((key: ServiceKey) => Mode)
  readonly policy: { readonly drift: 'report' | 'repair'; readonly readdQuiescent: boolean }
}
