import assert from 'node:assert/strict'
import { createWaker } from '../../src/control/wake.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'

/** A waker whose passes end when the test says so. */
function setUp(onFault: (error: unknown) => void = assert.ifError) {
  const clock = createVirtualClock()
  const open: (() => void)[] = []
  let begun = 0
  const waker = createWaker({
    clock,
    name: 'pass',
    pass: () => {
      begun += 1
      return new Promise<void>((resolve) => open.push(resolve))
    },
    onFault,
  })
  return { clock, waker, end: () => open.shift()?.(), begun: () => begun }
}

describe('A waker', () => {
  it('runs one pass at a time, and one more for any number of wakes during it', async () => {
    const { clock, waker, end, begun } = setUp()
    const ended: string[] = []
    void waker.wake().then(() => ended.push('first'))
    void waker.wake().then(() => ended.push('second'))
    void waker.wake().then(() => ended.push('third'))
    await clock.settle()
    assert.equal(begun(), 1)
    end()
    await clock.settle()
    assert.deepEqual([begun(), ended], [2, ['first']])
    end()
    await clock.settle()
    assert.deepEqual([begun(), ended], [2, ['first', 'second', 'third']])
  })

  it('wakes by its timer, which a pass replaces', async () => {
    const { clock, waker, end, begun } = setUp()
    waker.wakeIn(100)
    waker.wakeIn(200)
    await clock.advance(150)
    assert.equal(begun(), 0)
    await clock.advance(50)
    assert.equal(begun(), 1)
    end()
    waker.wakeIn(100)
    await clock.settle()
    void waker.wake()
    end()
    await clock.advance(1000)
    assert.equal(begun(), 2)
  })

  it('stops after the running pass and begins none after', async () => {
    const { clock, waker, end, begun } = setUp()
    void waker.wake()
    void waker.wake()
    waker.wakeIn(10)
    let stopped = false
    void waker.stop().then(() => {
      stopped = true
    })
    await clock.advance(100)
    assert.deepEqual([begun(), stopped], [1, false])
    end()
    await clock.advance(100)
    void waker.wake()
    await clock.advance(100)
    assert.deepEqual([begun(), stopped, clock.openTimers()], [1, true, []])
  })

  it('reports a pass that throws and goes on', async () => {
    const faults: unknown[] = []
    const waker = createWaker({
      clock: createVirtualClock(),
      name: 'pass',
      pass: () => Promise.reject(new Error('a bug')),
      onFault: (error) => faults.push(error),
    })
    await waker.wake()
    await waker.wake()
    assert.equal(faults.length, 2)
  })

  it('rests as long as a pass took, in bounds, and then has one pass for all who came', async () => {
    const clock = createVirtualClock()
    const begun: number[] = []
    const took = [300, 5000, 0]
    const waker = createWaker({
      clock,
      name: 'pass',
      mostRestMs: 1000,
      pass: () => {
        begun.push(clock.monotonic() - origin)
        return new Promise((resolve) => void clock.setTimer('work', took.shift() ?? 0, resolve))
      },
      onFault: assert.ifError,
    })
    const origin = clock.monotonic()
    const ended: string[] = []
    void waker.wake()
    await clock.advance(300)
    void waker.wake().then(() => ended.push('one'))
    void waker.wake().then(() => ended.push('two'))
    await clock.advance(299)
    assert.deepEqual([begun, ended], [[0], []])
    await clock.advance(5001)
    assert.deepEqual(
      [begun, ended],
      [
        [0, 600],
        ['one', 'two'],
      ],
    )
    void waker.wake()
    await clock.advance(999)
    assert.deepEqual(begun, [0, 600])
    await clock.advance(1)
    assert.deepEqual(begun, [0, 600, 6600])
    assert.deepEqual(clock.openTimers(), [])
  })

  it('stops in its rest at once, and lets those go who wait', async () => {
    const clock = createVirtualClock()
    let begun = 0
    const pass = () => {
      begun += 1
      return new Promise<void>((resolve) => void clock.setTimer('work', 500, resolve))
    }
    const waker = createWaker({ clock, name: 'pass', mostRestMs: 1000, pass, onFault: assert.ifError })
    void waker.wake()
    await clock.advance(500)
    const waiting = waker.wake()
    await clock.settle()
    await waker.stop()
    await waiting
    assert.deepEqual([begun, clock.openTimers()], [1, []])
  })
})
