import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { withDeadline } from '../../src/lib/deadline.ts'
import { DeadlineError } from '../../src/lib/deadline-error.ts'
import { createVirtualClock } from './virtual-clock.ts'

/** Work that does as it is told: rejects with the reason when the signal fires. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

describe('withDeadline', () => {
  it('gives the result of work that ends in time and leaves no timer', async () => {
    const clock = createVirtualClock()
    assert.equal(await withDeadline({ clock, ms: 1000 }, async () => 'done'), 'done')
    assert.deepEqual(clock.openTimers(), [])
  })

  it('fires the signal with a DeadlineError when the time is over, and not before', async () => {
    const clock = createVirtualClock()
    let seen: AbortSignal | undefined
    const run = withDeadline({ clock, ms: 1000 }, (signal) => {
      seen = signal
      return untilAborted(signal)
    })
    const failed = assert.rejects(run, new DeadlineError(1000))
    await clock.advance(999)
    assert.equal(seen?.aborted, false)
    assert.deepEqual(clock.openTimers(), ['deadline'])
    await clock.advance(1)
    await failed
    assert.ok(seen?.reason instanceof DeadlineError)
  })

  it("passes the parent's reason on when the work is called off", async () => {
    const clock = createVirtualClock()
    const parent = new AbortController()
    const run = withDeadline({ clock, ms: 1000, parent: parent.signal }, untilAborted)
    const reason = new Error('going down')
    parent.abort(reason)
    await assert.rejects(run, (error) => error === reason)
    assert.deepEqual(clock.openTimers(), [])
    assert.equal(getEventListeners(parent.signal, 'abort').length, 0)
  })

  it('does not start work that was called off before', async () => {
    const clock = createVirtualClock()
    const reason = new Error('too late')
    const run = withDeadline({ clock, ms: 1000, parent: AbortSignal.abort(reason) }, async () => assert.fail('started'))
    await assert.rejects(run, (error) => error === reason)
    assert.deepEqual(clock.openTimers(), [])
  })

  it('waits for work that ignores the signal rather than leave it behind', async () => {
    const clock = createVirtualClock()
    let finish = (_value: string): void => undefined
    const run = withDeadline({ clock, ms: 10 }, () => new Promise<string>((resolve) => (finish = resolve)))
    await clock.advance(5000)
    finish('late')
    assert.equal(await run, 'late')
  })

  it('takes its timer and its listener away when the work throws at once', async () => {
    const clock = createVirtualClock()
    const parent = new AbortController()
    const run = withDeadline({ clock, ms: 10, parent: parent.signal }, () => {
      throw new Error('broken')
    })
    await assert.rejects(run, /broken/)
    assert.deepEqual(clock.openTimers(), [])
    assert.equal(getEventListeners(parent.signal, 'abort').length, 0)
  })

  it('leaves no listener on a long-lived parent over 10,000 runs', async () => {
    const parent = new AbortController()
    let most = 0
    for (let round = 0; round < 100; round += 1) {
      const hundred = Array.from({ length: 100 }, (_, i) =>
        withDeadline({ clock: systemClock, ms: 60_000, parent: parent.signal }, async () => {
          if (i % 2 === 0) throw new Error('down')
        }).catch(() => undefined),
      )
      most = Math.max(most, getEventListeners(parent.signal, 'abort').length)
      await Promise.all(hundred)
    }
    assert.equal(most, 100)
    assert.equal(getEventListeners(parent.signal, 'abort').length, 0)
  })

  it('is the only place that joins a deadline to another signal: AbortSignal.any leaks', () => {
    const sources = ['src', 'checks'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    )
    assert.ok(sources.includes('src/lib/deadline.ts'))
    assert.deepEqual(
      sources.filter((file) => readFileSync(file, 'utf8').includes('AbortSignal.any(')),
      [],
    )
  })
})

describe('the system clock', () => {
  it('does not run a timer of many days at once', async () => {
    let ran = false
    const timer = systemClock.setTimer('far', 1e12, () => {
      ran = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    timer.cancel()
    assert.equal(ran, false)
  })
})
