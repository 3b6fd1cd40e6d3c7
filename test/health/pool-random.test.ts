import assert from 'node:assert/strict'
import type { Probe } from '../../src/check/probe.ts'
import { createPool } from '../../src/health/pool.ts'
import { up } from '../../src/model/verdict.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import { fakeProbe, subscription } from './fakes.ts'

/** Numbers that look random and are the same each time (a linear congruential generator). */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const reals = Array.from({ length: 20 }, (_, i) => `real${i}`)
const intervals = [500, 1000, 2000, 5000, 7000]
const concurrency = 5

describe('the check pool under a long row of reloads', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`never stacks, never forgets a subscriber and never answers one who left (row ${seed})`, async () => {
      const roll = dice(seed)
      const clock = createVirtualClock(0)
      const open = new Map<string, number>()
      /** When each subscriber joined or was last answered, and how often it wants an answer. */
      const waiting = new Map<string, { since: number; intervalMs: number }>()
      let heeding = 0

      const probeNamed = (name: string): Probe =>
        fakeProbe(name, async ({ signal }) => {
          open.set(name, (open.get(name) ?? 0) + 1)
          assert.equal(open.get(name), 1, `${name} was stacked`)
          heeding += 1
          assert.ok(heeding <= concurrency, 'more in flight than allowed')
          const ignoring = roll(10) === 0
          await new Promise<void>((resolve) => {
            const timer = clock.setTimer('server', ignoring ? 300 + roll(300) : roll(300), resolve)
            if (ignoring) return
            signal.addEventListener('abort', () => {
              timer.cancel()
              resolve()
            })
          })
          heeding -= 1
          open.delete(name)
          return up('')
        })
      const faults: unknown[] = []
      const pool = createPool({
        clock,
        concurrency,
        isVirtualAddress: () => false,
        onObservation: (who, { result }) => {
          assert.equal(result.verdict, 'up', result.detail)
          const subscriber = waiting.get(who)
          assert.ok(subscriber !== undefined, `${who} had left`)
          subscriber.since = clock.monotonic()
        },
        onWarning: () => undefined,
        onFault: (error) => faults.push(error),
      })

      for (let round = 0; round < 200; round += 1) {
        const now = clock.monotonic()
        const wanted = reals
          .filter(() => roll(4) > 0)
          .map((who) => subscription(who, probeNamed(names[roll(names.length)] ?? ''), intervals[roll(5)] ?? 1000))
        waiting.clear()
        for (const { key, intervalMs } of wanted) waiting.set(key, { since: now, intervalMs })
        pool.update(wanted)
        await clock.advance(roll(10) === 0 ? 30_000 : roll(1500))
        for (const [who, { since, intervalMs }] of waiting) {
          // One interval and a half, one more for a run that was left out, and what a run and its wait can take.
          const latest = 2.5 * intervalMs + 3000
          assert.ok(clock.monotonic() - since <= latest, `${who} waits since ${since}, now ${clock.monotonic()}`)
        }
      }
      assert.deepEqual(faults, [])
      const stopped = pool.stop()
      await clock.advance(1000)
      await stopped
      const { probes, running, lingering } = pool.stats()
      assert.deepEqual([probes, running, lingering, open.size, clock.openTimers()], [0, 0, 0, 0, []])
    })
  }
})
