import assert from 'node:assert/strict'
import type { Clock } from '../../src/lib/clock.ts'
import { setPatientTimer } from '../../src/lib/patient-timer.ts'
import { createVirtualClock } from './virtual-clock.ts'

/** A clock whose program is stopped: time goes on, and the timers that fell due come when it runs again. */
function stoppable(): { clock: Clock; run(ms: number): Promise<void>; stop(ms: number): void } {
  const virtual = createVirtualClock()
  let lost = 0
  return {
    clock: { ...virtual, monotonic: () => virtual.monotonic() + lost },
    run: (ms) => virtual.advance(ms),
    // The timers stay where they are, so each comes `ms` later than it was meant to.
    stop: (ms) => {
      lost += ms
    },
  }
}

describe('A patient timer', () => {
  it('fires on time, to the millisecond, when the program is not held up', async () => {
    for (const ms of [0, 1, 7, 8, 9, 1000, 5003]) {
      const clock = createVirtualClock()
      let firedAt: number | undefined
      setPatientTimer(clock, { name: 'deadline', ms }, () => {
        firedAt = clock.monotonic()
      })
      await clock.advance(Math.max(0, ms - 1))
      if (ms > 0) assert.equal(firedAt, undefined)
      await clock.advance(1)
      assert.equal(firedAt, ms)
      assert.deepEqual(clock.openTimers(), [])
    }
  })

  it('does not count the part in which the program was held up', async () => {
    const { clock, run, stop } = stoppable()
    let firedAt: number | undefined
    setPatientTimer(clock, { name: 'deadline', ms: 800 }, () => {
      firedAt = clock.monotonic()
    })
    await run(10)
    stop(3000)
    await run(90)
    assert.equal(firedAt, undefined)
    await run(799)
    assert.equal(firedAt, undefined)
    await run(1)
    assert.equal(firedAt, 3900)
  })

  it('forgives a short delay of a timer, which is no news', async () => {
    const { clock, run, stop } = stoppable()
    let firedAt: number | undefined
    setPatientTimer(clock, { name: 'deadline', ms: 800 }, () => {
      firedAt = clock.monotonic()
    })
    stop(40)
    await run(800)
    assert.equal(firedAt, 840)
  })

  it('ends ten seconds late at the latest where the program is held up all the time', async () => {
    const { clock, run, stop } = stoppable()
    let firedAt = 0
    setPatientTimer(clock, { name: 'deadline', ms: 800 }, () => {
      firedAt = clock.monotonic()
    })
    for (let n = 0; n < 200 && firedAt === 0; n++) {
      stop(100)
      await run(100)
    }
    assert.ok(firedAt > 10_800 && firedAt < 13_000, `fired at ${firedAt}`)
  })

  it('is cancelled in any of its parts', async () => {
    const clock = createVirtualClock()
    const timer = setPatientTimer(clock, { name: 'deadline', ms: 800 }, () => assert.fail('fired'))
    await clock.advance(350)
    assert.deepEqual(clock.openTimers(), ['deadline'])
    timer.cancel()
    assert.deepEqual(clock.openTimers(), [])
  })
})
