import { type RealKey, realKeyOf } from '../../config/model.ts'
import type { Hold } from '../../table/desired.ts'
import type { MaintenanceFile } from './maintenance.ts'
import { type Intent, keyOfOrder, type Order, type OrderKey } from './order.ts'
import type { Roster } from './roster.ts'

export function stateOf({ action, drainedAt }: Pick<Order, 'action' | 'drainedAt'>): Intent['state'] {
  if (action === 'disable') return 'disabled'
  return drainedAt === undefined ? 'draining' : 'drained'
}

/** What an order asks of the table. */
export function holdOf(order: Order): Hold {
  const state = stateOf(order)
  const reason = [`${state} by ${order.by}`, order.reason].filter((part) => part !== '').join(': ')
  return { as: asOf[state], reason }
}

const asOf = { draining: 'drain', drained: 'removed', disabled: 'out', maintenance: 'out' } as const

const strength: Readonly<Record<Hold['as'], number>> = { drain: 0, out: 1, removed: 2 }

/**
 * Two that hold the same real server: the one that takes more away counts, so a maintenance file does not wait for a drain
 * that is under way. Both reasons are told.
 */
export function strongest(one: Hold | undefined, other: Hold): Hold {
  if (one === undefined) return other
  const as = strength[one.as] >= strength[other.as] ? one.as : other.as
  return { as, reason: `${one.reason}; ${other.reason}` }
}

/** What counts for each real server of the configuration. */
export function holdsOf(
  roster: Roster,
  orders: readonly Order[],
  files: ReadonlyMap<OrderKey, MaintenanceFile>,
): ReadonlyMap<RealKey, Hold> {
  const holds = new Map<RealKey, Hold>()
  const add = (at: OrderKey, hold: Hold): void => {
    for (const { virtual, real } of roster.groups.get(at) ?? []) {
      const key = realKeyOf(virtual, real)
      holds.set(key, strongest(holds.get(key), hold))
    }
  }
  for (const [at, { reason }] of files) add(at, { as: 'out', reason })
  for (const order of orders) add(keyOfOrder(order), holdOf(order))
  return holds
}
