import assert from 'node:assert/strict'
import { createVirtualClock } from './virtual-clock.ts'

describe('the virtual clock', () => {
  it('stands still until it is moved, then runs the timers that are due in order', async () => {
    const clock = createVirtualClock(5000)
    const seen: string[] = []
    const note = (name: string) => () => void seen.push(`${name} at ${clock.monotonic()}`)
    clock.setTimer('late', 30, note('late'))
    clock.setTimer('b', 10, note('b'))
    clock.setTimer('c', 10, note('c'))
    clock.setTimer('cancelled', 5, note('cancelled')).cancel()
    assert.deepEqual(clock.openTimers(), ['b', 'c', 'late'])
    await clock.advance(20)
    assert.deepEqual(seen, ['b at 10', 'c at 10'])
    assert.deepEqual([clock.openTimers(), clock.monotonic(), clock.now()], [['late'], 20, 5020])
  })

  it('lets promises settle between timers, so that a timer set by one runs in its turn', async () => {
    const clock = createVirtualClock()
    const seen: number[] = []
    const again = async (): Promise<void> => {
      await Promise.resolve()
      seen.push(clock.monotonic())
      clock.setTimer('again', 10, () => void again())
    }
    clock.setTimer('again', 10, () => void again())
    await clock.advance(35)
    assert.deepEqual(seen, [10, 20, 30])
  })

  it('lets the wall clock jump without moving a timer', async () => {
    const clock = createVirtualClock(0)
    clock.setTimer('t', 10, () => undefined)
    clock.jumpWallClock(3_600_000)
    await clock.settle()
    assert.deepEqual([clock.now(), clock.monotonic(), clock.openTimers()], [3_600_000, 0, ['t']])
  })
})
