import assert from 'node:assert/strict'
import { afterResult, gridOf, isDue, lateness, newRhythm, nextSlot, withInterval } from '../../src/health/schedule.ts'

/** Slots of a probe that starts at 0 and runs until `until`. */
function slots(name: string, intervalMs: number, until: number): number[] {
  const grid = gridOf(name, intervalMs)
  const all = [0]
  for (let slot = 0; slot < until; all.push(slot)) slot = nextSlot(grid, slot, slot)
  return all
}

/** Which of a probe's slots one subscriber gets. */
function received(all: readonly number[], gridMs: number, intervalMs: number): number[] {
  let rhythm = newRhythm(intervalMs)
  return all.filter((slot) => {
    if (!isDue(rhythm, slot, gridMs)) return false
    rhythm = afterResult(rhythm, slot)
    return true
  })
}

describe('the schedule of a probe', () => {
  it('is set by its key alone', () => {
    assert.deepEqual(gridOf('a', 10_000), gridOf('a', 10_000))
    assert.notDeepEqual(gridOf('a', 10_000), gridOf('b', 10_000))
  })

  it('spreads many probes over the interval', () => {
    const tenths = new Set<number>()
    for (let i = 0; i < 200; i += 1) tenths.add(Math.floor(gridOf(`probe ${i}`, 10_000).phaseMs / 1000))
    assert.equal(tenths.size, 10)
  })

  it('has the second run half an interval to one and a half after the first, then one each interval', () => {
    for (let i = 0; i < 50; i += 1) {
      const [first = 0, second = 0, ...rest] = slots(`probe ${i}`, 1000, 10_000)
      assert.equal(first, 0)
      assert.ok(second >= 500 && second < 1500, `second at ${second}`)
      const expected = rest.map((_, n) => second + (n + 1) * 1000)
      assert.deepEqual(rest, expected)
    }
  })

  it('does not make up for slots that passed', () => {
    const grid = { intervalMs: 1000, phaseMs: 300 }
    assert.equal(nextSlot(grid, 1300, 1300), 2300)
    assert.equal(nextSlot(grid, 1300, 7777), 8300)
    assert.equal(nextSlot(grid, Number.NEGATIVE_INFINITY, 300), 300)
  })

  it('comes late by a part of the jitter, and never as late as the next slot', () => {
    const grid = { intervalMs: 1000, phaseMs: 300 }
    assert.deepEqual(
      [0, 0.25, 0.999].map((part) => lateness(grid, 400, part)),
      [0, 100, 399],
    )
    assert.equal(lateness(grid, 5000, 0.9999), 998)
    assert.equal(lateness({ intervalMs: 1, phaseMs: 0 }, 5000, 0.9999), 0)
  })

  it('takes an interval of nothing for the shortest there is, not for a division by zero', () => {
    assert.deepEqual(gridOf('a', 0), { intervalMs: 1, phaseMs: 0 })
  })
})

describe("a subscriber's own rhythm", () => {
  it('takes each run of a probe at its own interval', () => {
    for (let i = 0; i < 50; i += 1) {
      const all = slots(`probe ${i}`, 2000, 60_000)
      assert.deepEqual(received(all, 2000, 2000), all)
    }
  })

  it('takes the first run and then every fifth of a probe that runs five times as often', () => {
    for (let i = 0; i < 50; i += 1) {
      const all = slots(`probe ${i}`, 2000, 60_000)
      assert.deepEqual(
        received(all, 2000, 10_000),
        all.filter((_, n) => n % 5 === 0),
      )
    }
  })

  it('keeps its rate on the average where its interval is no multiple', () => {
    const all = [0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000]
    assert.deepEqual(received(all, 2000, 5000), [0, 4000, 10_000, 14_000, 20_000])
  })

  it('does not take a burst after runs that were left out', () => {
    const all = [0, 2000, 30_000, 32_000, 34_000, 36_000, 38_000, 40_000, 42_000]
    assert.deepEqual(received(all, 2000, 10_000), [0, 30_000, 40_000])
  })

  it('counts a new interval from the last result', () => {
    const rhythm = afterResult(newRhythm(10_000), 5000)
    assert.deepEqual(rhythm, { intervalMs: 10_000, due: 15_000 })
    assert.deepEqual(withInterval(rhythm, 2000), { intervalMs: 2000, due: 7000 })
    assert.deepEqual(withInterval(newRhythm(10_000), 2000), newRhythm(2000))
  })
})
