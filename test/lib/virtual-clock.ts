import type { Clock } from '../../src/lib/clock.ts'

interface OpenTimer {
  readonly name: string
  readonly at: number
  readonly action: () => void
}

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /** Moves on by `ms`: runs every timer that falls due, in order, and lets promises settle before and after each. */
  advance(ms: number): Promise<void>
  /** Lets promises settle without moving time. */
  settle(): Promise<void>
  /** Names of the timers that are set, the next one first. */
  openTimers(): string[]
  /** The wall clock jumps; timers and `monotonic` do not see it. */
  jumpWallClock(ms: number): void
}

/** Starts at wall clock `start` and monotonic 0. */
export function createVirtualClock(start = 1_000_000): VirtualClock {
  const timers = new Set<OpenTimer>()
  let elapsed = 0
  let wall = start

  // A macrotask comes after every microtask there is, whatever the length of the promise chain.
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  // Array sort is stable: timers for the same moment run in the order they were set.
  const inOrder = (): OpenTimer[] => [...timers].sort((a, b) => a.at - b.at)

  return {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    setTimer(name, delayMs, action) {
      const timer: OpenTimer = { name, at: elapsed + Math.max(0, delayMs), action }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(ms) {
      const target = elapsed + ms
      await settle()
      for (let ran = 0; ; ran += 1) {
        const next = inOrder()[0]
        if (next === undefined || next.at > target) break
        if (ran > 1_000_000) throw new Error(`timers never end: ${next.name}`)
        timers.delete(next)
        elapsed = Math.max(elapsed, next.at)
        next.action()
        await settle()
      }
      elapsed = target
    },
    settle,
    openTimers: () => inOrder().map((timer) => timer.name),
    jumpWallClock(ms) {
      wall += ms
    },
  }
}
