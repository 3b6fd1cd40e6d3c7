import { realKeyOf } from '../../config/model.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import type { Tell } from '../../model/events.ts'
import { protocolOf } from '../../model/service.ts'
import type { Director } from '../director.ts'
import { nameReal } from '../health-book.ts'
import { connectionsOf, type DrainWatch, entryOf, isIdle } from './drain.ts'
import { type Connections, keyOfOrder, type Order, type OrderKey, orderKeyOf } from './order.ts'
import { createOrderBook } from './order-book.ts'
import { stateOf } from './order-holds.ts'
import type { Roster } from './roster.ts'
import type { Line } from './select-reals.ts'
import { within } from './within.ts'

/** Where orders outlive the process. None of it rejects or throws. */
export interface OrderStore {
  load(): Promise<readonly Order[]>
  /** False when they could not be written. */
  save(orders: readonly Order[]): Promise<boolean>
  /** Resolves, in bounded time, when what was to be saved is. */
  stop(): Promise<void>
}

export type DirectorView = Pick<Director, 'observed' | 'health' | 'reconcile'>

export interface OrdersPorts {
  readonly clock: Clock
  readonly tell: Tell
  readonly director: () => DirectorView
  readonly store: OrderStore
  readonly roster: () => Roster
}

export interface OrderParts extends Pick<Order, 'action' | 'by' | 'reason'> {
  /** Milliseconds; undefined: no end. */
  readonly forMs: number | undefined
}

/** The orders of the operator, their progress and their ends. */
export interface Orders {
  /** Takes what a former process left; what comes later than in two seconds is taken when it comes. */
  load(): Promise<void>
  /** Resolves when the table has been passed over and the file written; false when it could not be. */
  give(groups: readonly OrderKey[], parts: OrderParts): Promise<boolean>
  takeBack(groups: readonly OrderKey[], by: string): Promise<boolean>
  /** Looks at the clock, the config and the last read of the table. */
  look(): void
  readonly all: readonly Order[]
  connections(order: Order): Connections | undefined
  stop(): Promise<void>
}

/** How soon a wall clock that was set is noticed. */
const longestSleepMs = 30_000
const loadWithinMs = 2_000
const longestReason = 200
const longestName = 64

export function createOrders(ports: OrdersPorts): Orders {
  const { clock, tell, director, roster } = ports
  const book = createOrderBook(clock)
  const watches = new Map<OrderKey, DrainWatch>()
  let timer: Timer | undefined
  let stopped = false

  const lineOf = (order: Order): Line | undefined => roster().groups.get(keyOfOrder(order))?.[0]
  const entryFor = (line: Line) => entryOf(director().observed, line.virtual, line.real)
  const commit = async (): Promise<boolean> => {
    arm()
    const [saved] = await Promise.all([ports.store.save(book.all), director().reconcile()])
    return saved
  }
  const arm = (): void => {
    timer?.cancel()
    const next = book.nextDueMs
    if (stopped || next === undefined) return
    timer = clock.setTimer('operator orders', Math.min(next, longestSleepMs), look)
  }
  const endDrain = (order: Order, why: 'idle' | 'time'): void => {
    watches.delete(keyOfOrder(order))
    book.put({ ...order, drainedAt: clock.now() })
    const line = lineOf(order)
    const left = line === undefined ? undefined : connectionsOf(entryFor(line))?.active
    tell({ kind: 'real-drained', ...nameOf(order, line), why, left })
  }
  const begin = (line: Line, { action, by, reason, forMs }: OrderParts): void => {
    const since = clock.now()
    const order: Order = {
      virtual: line.virtual.key,
      real: orderKeyOf(line).slice(line.virtual.key.length + 1),
      action,
      reason: printable(reason, longestReason),
      by: printable(by, longestName),
      since,
      until: forMs === undefined ? undefined : since + forMs,
      drainedAt: undefined,
    }
    const before = book.get(keyOfOrder(order))
    book.put(order)
    watches.delete(keyOfOrder(order))
    const kind = action === 'drain' ? 'real-draining' : 'real-disabled'
    tell({ kind, ...nameOf(order, line), by: order.by, reason: order.reason, until: order.until })
    if (action === 'drain' && hasNothingToWaitFor(line, before)) endDrain(order, 'idle')
  }
  /** UDP has no connections, and what was not in the table has none either, unless it came in since that was read. */
  const hasNothingToWaitFor = (line: Line, before: Order | undefined): boolean => {
    if (protocolOf(line.virtual.id) === 'udp') return true
    const { observed, health } = director()
    if (observed === undefined || entryFor(line) !== undefined) return false
    if (before !== undefined && stateOf(before) !== 'draining') return true
    const group = roster().groups.get(orderKeyOf(line)) ?? [line]
    return group.every(({ virtual, real }) => health.get(realKeyOf(virtual, real))?.state !== 'up')
  }
  /** True when the table may have to change. */
  const progress = (): boolean => {
    const before = book.all.length
    const due = book.due()
    for (const order of due) {
      if (order.action === 'drain') endDrain(order, 'time')
      else {
        book.remove(keyOfOrder(order))
        tell({ kind: 'real-enabled', ...nameOf(order, lineOf(order)), by: undefined })
      }
    }
    const idle = book.all.filter(hasDrained)
    for (const order of idle) endDrain(order, 'idle')
    book.forget(new Set(roster().groups.keys()))
    return due.length + idle.length > 0 || book.all.length !== before
  }
  const hasDrained = (order: Order): boolean => {
    const line = lineOf(order)
    const table = director().observed
    if (order.action !== 'drain' || order.drainedAt !== undefined) return false
    if (line === undefined || table === undefined) return false
    const key = keyOfOrder(order)
    const watch = watches.get(key) ?? { looks: 0, idleSince: undefined, last: undefined }
    watches.set(key, watch)
    return isIdle(watch, { table, entry: entryFor(line), now: clock.monotonic() })
  }
  const look = (): void => {
    if (stopped) return
    if (progress()) void commit()
    else arm()
  }
  return {
    load: async () => {
      const loaded = ports.store.load().then((orders) => {
        for (const order of orders) book.adopt(order)
        look()
        void director().reconcile()
      })
      await within({ clock, name: 'operator orders: load', ms: loadWithinMs }, loaded)
    },
    give: async (groups, parts) => {
      for (const key of groups) {
        const [line] = roster().groups.get(key) ?? []
        if (line !== undefined) begin(line, parts)
      }
      return await commit()
    },
    takeBack: async (groups, by) => {
      for (const key of groups) {
        const order = book.get(key)
        if (order === undefined) continue
        book.remove(key)
        watches.delete(key)
        tell({ kind: 'real-enabled', ...nameOf(order, lineOf(order)), by: printable(by, longestName) })
      }
      return await commit()
    },
    look,
    get all() {
      return book.all
    },
    connections: (order) => {
      const line = lineOf(order)
      return line === undefined ? undefined : connectionsOf(entryFor(line))
    },
    stop: async () => {
      stopped = true
      timer?.cancel()
      await ports.store.stop()
    },
  }
}

/** As the log names it; by the order's own words when the configuration does not have it. */
function nameOf(order: Order, line: Line | undefined): { virtual: string; identity: string; real: string } {
  if (line !== undefined) return nameReal(line.virtual, line.real)
  const { virtual: identity, real } = order
  return { virtual: identity.slice(identity.indexOf(':') + 1), identity, real }
}
