import { realKeyOf } from '../../config/model.ts'
import type { MaintenanceFile } from './maintenance.ts'
import { type Intent, keyOfOrder, type Order, type OrderKey } from './order.ts'
import { stateOf } from './order-holds.ts'
import type { Orders } from './orders.ts'
import type { Roster } from './roster.ts'

/** Orders and maintenance files as rows, one for each line of the configuration that is held. */
export function intentsOf(
  roster: Roster,
  orders: Pick<Orders, 'all' | 'connections'>,
  files: ReadonlyMap<OrderKey, MaintenanceFile>,
): readonly Intent[] {
  const keysOf = (key: OrderKey): readonly Intent['key'][] => {
    const group = roster.groups.get(key)
    return group === undefined ? [undefined] : group.map(({ virtual, real }) => realKeyOf(virtual, real))
  }
  const ordered = orders.all.flatMap((order) =>
    keysOf(keyOfOrder(order)).map((key) => ({ key, ...rowOf(order, orders) })),
  )
  const filed = [...files].flatMap(([at, file]) => keysOf(at).map((key) => ({ key, ...fileRow(at, file) })))
  return [...ordered, ...filed]
}

function rowOf(order: Order, { connections }: Pick<Orders, 'connections'>): Omit<Intent, 'key'> {
  const { virtual, real, action, reason, by, since, until } = order
  const state = stateOf(order)
  return {
    virtual,
    real,
    action,
    state,
    reason,
    by,
    since,
    until: state === 'drained' ? undefined : until,
    connections: state === 'draining' ? connections(order) : undefined,
  }
}

function fileRow(at: OrderKey, { path, reason, since }: MaintenanceFile): Omit<Intent, 'key'> {
  const [virtual = '', real = ''] = at.split(' ')
  const state = 'maintenance'
  return { virtual, real, action: state, state, reason, by: path, since, until: undefined, connections: undefined }
}
