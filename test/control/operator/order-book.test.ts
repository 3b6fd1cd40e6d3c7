import assert from 'node:assert/strict'
import { keyOfOrder, type Order } from '../../../src/control/operator/order.ts'
import { createOrderBook } from '../../../src/control/operator/order-book.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'

const day = 86_400_000
const order = (parts: Partial<Order> = {}): Order => ({
  virtual: 'tcp:192.0.2.10:80',
  real: '192.0.2.20:80',
  action: 'disable',
  reason: '',
  by: 'alice',
  since: 1_000_000,
  until: undefined,
  drainedAt: undefined,
  ...parts,
})
const key = keyOfOrder(order())

describe('the book of orders', () => {
  it('keeps an order without an end', async () => {
    const clock = createVirtualClock()
    const book = createOrderBook(clock)
    book.put(order())
    await clock.advance(400 * day)
    assert.deepEqual(book.due(), [])
    assert.equal(book.nextDueMs, undefined)
  })

  it('has an order due at its time, and the next one before', async () => {
    const clock = createVirtualClock()
    const book = createOrderBook(clock)
    const [soon, late] = [order({ until: 1_005_000 }), order({ real: 'web2:80', until: 1_009_000 })]
    book.put(late)
    book.put(soon)
    assert.equal(book.nextDueMs, 5_000)
    await clock.advance(4_999)
    assert.deepEqual(book.due(), [])
    await clock.advance(1)
    assert.deepEqual(book.due(), [soon])
    assert.equal(book.nextDueMs, 0)
    book.remove(keyOfOrder(soon))
    assert.equal(book.nextDueMs, 4_000)
  })

  it('has no end for a drain that has ended', async () => {
    const clock = createVirtualClock()
    const book = createOrderBook(clock)
    book.put(order({ action: 'drain', until: 1_005_000, drainedAt: 1_002_000 }))
    await clock.advance(day)
    assert.deepEqual(book.due(), [])
  })

  for (const { what, now, leftMs } of [
    { what: 'what was left of its time', now: 1_600_000, leftMs: 400_000 },
    { what: 'nothing when its time has passed', now: 9_000_000, leftMs: 0 },
    { what: 'its whole time and no more when the clock was set back', now: 10_000, leftMs: 1_000_000 },
  ]) {
    it(`gives an order of a former process ${what}`, () => {
      const book = createOrderBook(createVirtualClock(now))
      book.adopt(order({ until: 2_000_000 }))
      assert.equal(book.nextDueMs, leftMs)
    })
  }

  it('does not replace an order that is newer than the file', () => {
    const book = createOrderBook(createVirtualClock())
    book.put(order({ by: 'bob' }))
    book.adopt(order())
    assert.deepEqual(book.all, [order({ by: 'bob' })])
  })

  it('forgets what the configuration has not had for a day, counted while the daemon runs', async () => {
    const clock = createVirtualClock()
    const book = createOrderBook(clock)
    book.put(order())
    assert.deepEqual(book.forget(new Set()), [])
    clock.jumpWallClock(300 * day)
    await clock.advance(day - 1)
    assert.deepEqual(book.forget(new Set()), [])
    assert.deepEqual(book.forget(new Set([key])), [], 'it is back, and the day begins anew')
    assert.deepEqual(book.forget(new Set()), [])
    await clock.advance(day - 1)
    assert.deepEqual(book.forget(new Set()), [])
    await clock.advance(1)
    assert.deepEqual(book.forget(new Set()), [order()])
    assert.deepEqual(book.all, [])
  })
})
