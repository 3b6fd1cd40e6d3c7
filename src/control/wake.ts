import type { Clock, Timer } from '../lib/clock.ts'

/**
 * Runs one pass at a time. A wake during a pass, or in the rest after it, causes exactly one more; a timer wakes it when
 * nobody else does.
 */
export interface Waker {
  /** Asks for a pass soon; resolves when a pass that began after this call has ended. Never rejects. */
  wake(): Promise<void>
  /** Asks for a pass after a while, replacing an earlier such wish. */
  wakeIn(delayMs: number): void
  /** No pass begins after this; resolves when the running one has ended. */
  stop(): Promise<void>
}

export interface WakerOptions {
  readonly clock: Clock
  readonly name: string
  readonly pass: () => Promise<void>
  /**
   * After a pass the next one waits as long as that took, at most this; 0 when absent. A pass over a large table is
   * work: without a rest, each of a thousand probes that end together would have one to itself, and the others,
   * signals too, would wait for it.
   */
  readonly mostRestMs?: number
  /** A pass threw: our own bug. The waker goes on. */
  readonly onFault: (error: unknown) => void
}

export function createWaker(options: WakerOptions): Waker {
  const { clock, mostRestMs = 0 } = options
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let timer: Timer | undefined
  let restedAt = Number.NEGATIVE_INFINITY
  let endRest: (() => void) | undefined
  let stopped = false

  const runOnce = async (): Promise<void> => {
    timer?.cancel()
    timer = undefined
    const began = clock.monotonic()
    try {
      await options.pass()
    } catch (error) {
      options.onFault(error)
    }
    const now = clock.monotonic()
    restedAt = now + Math.min(mostRestMs, now - began)
  }
  const begin = (): Promise<void> => {
    running = runOnce().finally(() => {
      running = undefined
    })
    return running
  }
  const rest = (): Promise<void> => {
    const leftMs = restedAt - clock.monotonic()
    if (leftMs <= 0 || stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const resting = clock.setTimer(`${options.name}: rest`, leftMs, resolve)
      endRest = () => {
        resting.cancel()
        resolve()
      }
    })
  }
  const beginAfter = async (current: Promise<void> | undefined): Promise<void> => {
    await current
    await rest()
    next = undefined
    if (!stopped) await begin()
  }
  const wake = (): Promise<void> => {
    if (stopped) return running ?? Promise.resolve()
    if (next !== undefined) return next
    if (running === undefined && clock.monotonic() >= restedAt) return begin()
    next = beginAfter(running)
    return next
  }
  return {
    wake,
    wakeIn: (delayMs) => {
      if (stopped) return
      timer?.cancel()
      timer = clock.setTimer(options.name, delayMs, () => void wake())
    },
    stop: async () => {
      stopped = true
      timer?.cancel()
      endRest?.()
      await running
    },
  }
}
