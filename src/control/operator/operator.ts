import type { Config, RealKey } from '../../config/model.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Tell } from '../../model/events.ts'
import type { Hold } from '../../table/desired.ts'
import type { Companion } from '../companion.ts'
import { intentsOf } from './intents.ts'
import { type Maintenance, type MaintenancePorts, noMaintenance } from './maintenance.ts'
import { type Intent, type OrderKey, orderKeyOf } from './order.ts'
import { holdsOf } from './order-holds.ts'
import { createOrders, type DirectorView, type OrderStore } from './orders.ts'
import { emptyRoster, rosterOf } from './roster.ts'
import { type SelectionFault, selectReals } from './select-reals.ts'

export interface DrainOptions {
  /** How long connections are waited for; undefined: until they have gone. */
  readonly maxMs?: number | undefined
  readonly reason?: string | undefined
  /** Who orders it, for the log and whoever asks. */
  readonly by: string
}

export interface DisableOptions {
  /** When it ends by itself; undefined: never. */
  readonly forMs?: number | undefined
  readonly reason?: string | undefined
  readonly by: string
}

export interface Ordered {
  /** What holds the named real servers now, maintenance files included. */
  readonly intents: readonly Intent[]
  /** False: in force, and lost with the process, because the state file cannot be written now. */
  readonly saved: boolean
}

/**
 * What the operator wants of real servers, whatever the checks say of them: orders given here, and files in
 * maintenancedir. An order is in force when its promise resolves: the table has been passed over and the state file
 * written. None rejects. Keys that the configuration does not have are ignored.
 */
export interface Operator extends Companion {
  readonly name: string
  /** Before the director starts: what a former process left, and the maintenance files. In bounded time. */
  prepare(config: Config): Promise<void>
  /** By the configuration in force; see `selectReals`. */
  select(text: string, options?: { readonly all: boolean }): readonly RealKey[] | SelectionFault
  /**
   * Weight 0 at once, no new connections; its entry leaves the table, whatever quiescent says, when no connection is
   * left or `maxMs` is over, and stays out until `enable`. UDP: at once.
   */
  drain(keys: readonly RealKey[], options: DrainOptions): Promise<Ordered>
  /** Out as if it were down: quiescent says how. */
  disable(keys: readonly RealKey[], options: DisableOptions): Promise<Ordered>
  /** Takes the orders back. A maintenance file holds on, and is among the intents that are left. */
  enable(keys: readonly RealKey[], options?: { readonly by: string }): Promise<Ordered>
  /** Everything that holds a real server out, and orders for real servers that the configuration does not have now. */
  intents(): readonly Intent[]
  /** For the director: what counts for each real server of its config, which may not be the one in force yet. */
  holds(config: Config): ReadonlyMap<RealKey, Hold>
}

export interface OperatorPorts {
  readonly clock: Clock
  readonly tell: Tell
  /** Asked when needed: the director needs the operator first. */
  readonly director: () => DirectorView
  /** Undefined: orders end with the process. */
  readonly store?: OrderStore | undefined
  readonly maintenance?: ((ports: MaintenancePorts) => Maintenance) | undefined
}

const noStore: OrderStore = { load: async () => [], save: async () => false, stop: async () => undefined }

export function createOperator(ports: OperatorPorts): Operator {
  const { clock, tell, director, store = noStore } = ports
  let roster = emptyRoster
  const orders = createOrders({ clock, tell, director, store, roster: () => roster })
  const maintenance = ports.maintenance?.({ clock, tell, onChange: () => void director().reconcile() }) ?? noMaintenance
  const intents = (): readonly Intent[] => intentsOf(roster, orders, maintenance.files)
  const groupsOf = (keys: readonly RealKey[]): readonly OrderKey[] => {
    const lines = keys.flatMap((key) => roster.lines.get(key) ?? [])
    return [...new Set(lines.map(orderKeyOf))]
  }
  const ordered = async (keys: readonly RealKey[], work: Promise<boolean>): Promise<Ordered> => {
    const saved = await work
    const named = new Set(keys)
    return { intents: intents().filter(({ key }) => key !== undefined && named.has(key)), saved }
  }
  return {
    name: 'operator',
    prepare: async (config) => {
      roster = rosterOf(config)
      await Promise.all([orders.load(), maintenance.follow(config)])
    },
    onConfig: (config) => {
      roster = rosterOf(config)
      void maintenance.follow(config)
    },
    onChange: orders.look,
    stop: async () => {
      await Promise.all([orders.stop(), maintenance.stop()])
    },
    select: (text, options) => selectReals(roster.config ?? { virtuals: [] }, text, options),
    drain: (keys, { maxMs, reason = '', by }) =>
      ordered(keys, orders.give(groupsOf(keys), { action: 'drain', forMs: maxMs, reason, by })),
    disable: (keys, { forMs, reason = '', by }) =>
      ordered(keys, orders.give(groupsOf(keys), { action: 'disable', forMs, reason, by })),
    enable: (keys, { by } = { by: 'operator' }) => ordered(keys, orders.takeBack(groupsOf(keys), by)),
    intents,
    holds: (config) => holdsOf(config === roster.config ? roster : rosterOf(config), orders.all, maintenance.files),
  }
}
