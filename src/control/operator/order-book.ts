import type { Clock } from '../../lib/clock.ts'
import { keyOfOrder, type Order, type OrderKey } from './order.ts'

/** How long an order outlives its real server's line in the configuration, while the daemon runs. */
const keepAbsentMs = 86_400_000

/**
 * The orders in force and when they end. An order ends when the wall clock has come to its `until`, or when it has lasted
 * its whole time by the monotonic clock, whichever is first: a clock that is set back lengthens nothing, and a machine that
 * slept finds what ended meanwhile ended.
 */
export interface OrderBook {
  put(order: Order): void
  /** One that a former process left: it lasts no longer than it had been given then. Does not replace what is there. */
  adopt(order: Order): void
  get(key: OrderKey): Order | undefined
  remove(key: OrderKey): void
  readonly all: readonly Order[]
  /** Those whose time is up; a drain that has ended has no time any more. */
  due(): readonly Order[]
  /** Milliseconds until the next one is due; undefined when none will be. */
  readonly nextDueMs: number | undefined
  /** Takes out what the configuration has not had for a day. */
  forget(present: ReadonlySet<OrderKey>): readonly Order[]
}

export function createOrderBook(clock: Clock): OrderBook {
  const orders = new Map<OrderKey, Order>()
  /** Monotonic moments. */
  const ends = new Map<OrderKey, number>()
  const absentSince = new Map<OrderKey, number>()

  const put = (order: Order, forMs: number): void => {
    const key = keyOfOrder(order)
    orders.set(key, order)
    ends.set(key, clock.monotonic() + forMs)
  }
  const leftMs = (order: Order): number => {
    if (order.until === undefined || order.drainedAt !== undefined) return Number.POSITIVE_INFINITY
    const end = ends.get(keyOfOrder(order)) ?? Number.POSITIVE_INFINITY
    return Math.min(order.until - clock.now(), end - clock.monotonic())
  }
  const remove = (key: OrderKey): void => {
    orders.delete(key)
    ends.delete(key)
    absentSince.delete(key)
  }
  return {
    put: (order) => put(order, lengthOf(order)),
    adopt: (order) => {
      if (orders.has(keyOfOrder(order))) return
      const left = (order.until ?? Number.POSITIVE_INFINITY) - clock.now()
      put(order, Math.max(0, Math.min(left, lengthOf(order))))
    },
    get: (key) => orders.get(key),
    remove,
    get all() {
      return [...orders.values()]
    },
    due: () => [...orders.values()].filter((order) => leftMs(order) <= 0),
    get nextDueMs() {
      const next = Math.min(...[...orders.values()].map(leftMs))
      return Number.isFinite(next) ? Math.max(0, next) : undefined
    },
    forget: (present) => {
      const now = clock.monotonic()
      const gone: Order[] = []
      for (const [key, order] of orders) {
        if (present.has(key)) absentSince.delete(key)
        else if (now - (absentSince.get(key) ?? now) >= keepAbsentMs) gone.push(order)
        else if (!absentSince.has(key)) absentSince.set(key, now)
      }
      for (const order of gone) remove(keyOfOrder(order))
      return gone
    },
  }
}

const lengthOf = ({ since, until }: Order): number => (until ?? Number.POSITIVE_INFINITY) - since
