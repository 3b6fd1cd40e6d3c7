import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import type { Companion } from '../../src/control/companion.ts'
import { createTimeoutKeeper } from '../../src/control/timeouts.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { ConnectionTimeouts } from '../../src/model/timeouts.ts'
import { TableError } from '../../src/table/operation.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'
import { never } from '../table/fixtures.ts'
import { configOf } from './stage.ts'

describe('The time-outs of the configuration', () => {
  let clock: VirtualClock
  let table: ReturnType<typeof createMemoryTable>
  let keeper: Companion
  let log: string[]
  /** Every time-out that was asked for, also those that were refused. */
  let asked: ConnectionTimeouts[]
  let answer: (signal: AbortSignal) => Promise<void>
  beforeEach(() => {
    clock = createVirtualClock()
    table = createMemoryTable()
    log = []
    asked = []
    answer = async () => undefined
    keeper = createTimeoutKeeper({
      clock,
      tell: (event) => void log.push(...wordEvent(event, { pid: 1, version: '0' }).lines),
      table: {
        setTimeouts: async (timeouts, signal) => {
          asked.push(timeouts)
          await answer(signal)
          await table.setTimeouts(timeouts, signal)
        },
      },
    })
  })
  const take = (timeouts: ConnectionTimeouts | undefined): void => keeper.onConfig?.(configOf([], { timeouts }))
  const pass = async (): Promise<void> => {
    keeper.onChange?.()
    await clock.settle()
  }
  const standing = (): Promise<ConnectionTimeouts> => table.timeouts(never)
  const some = { tcp: 700, tcpFin: 60, udp: 30 }

  it('are set after the first pass that follows a config, once', async () => {
    take(some)
    assert.deepEqual(asked, [])
    await pass()
    await pass()
    assert.deepEqual([asked, await standing(), log], [[some], some, []])
  })
  it('are left alone without the directive', async () => {
    take(undefined)
    await pass()
    assert.deepEqual([asked, await standing()], [[], { tcp: 900, tcpFin: 120, udp: 300 }])
  })
  it('are set again with each reload, for somebody may have changed them', async () => {
    take(some)
    await pass()
    await table.setTimeouts({ tcp: 1, tcpFin: 1, udp: 1 }, never)
    take({ tcp: 0, tcpFin: 61, udp: 0 })
    await pass()
    assert.deepEqual(await standing(), { tcp: 1, tcpFin: 61, udp: 1 })
  })
  it('stay as they are when a reload takes the directive away', async () => {
    take(some)
    await pass()
    take(undefined)
    await pass()
    assert.deepEqual([asked.length, await standing()], [1, some])
  })
  it('are tried again after each pass when they were refused, which is told once', async () => {
    answer = async () => Promise.reject(new TableError('EPERM', 'not permitted (EPERM)'))
    take(some)
    await pass()
    await pass()
    await pass()
    assert.deepEqual([asked.length, log], [3, ['IPVS refused --set 700 60 30: not permitted (EPERM)']])
    answer = async () => undefined
    await pass()
    await pass()
    assert.deepEqual([asked.length, await standing(), log.length], [4, some, 1])
  })
  it('are told again when they fail anew', async () => {
    take(some)
    await pass()
    answer = async () => Promise.reject(new Error('a bug'))
    for (const _ of [1, 2]) {
      take(some)
      await pass()
    }
    answer = async () => undefined
    await pass()
    answer = async () => Promise.reject(new Error('a bug'))
    take(some)
    await pass()
    assert.deepEqual(log, Array(2).fill('IPVS refused --set 700 60 30: a bug'))
  })
  it('are set anew when IPVS was gone and came back', async () => {
    take(some)
    await pass()
    await table.setTimeouts({ tcp: 900, tcpFin: 120, udp: 300 }, never)
    keeper.tell?.({ kind: 'table-readable' })
    await pass()
    assert.deepEqual(await standing(), some)
  })
  it('are given up after five seconds without an answer, and asked for one at a time', async () => {
    answer = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    take(some)
    await pass()
    take(some)
    await pass()
    assert.equal(asked.length, 1)
    await clock.advance(5_000)
    assert.equal(log.length, 1)
    await pass()
    assert.equal(asked.length, 2)
    await keeper.stop?.()
    assert.deepEqual([log.length, clock.openTimers()], [1, []])
  })
  it('are not set any more after the end', async () => {
    take(some)
    await keeper.stop?.()
    await pass()
    assert.deepEqual(asked, [])
  })
})
