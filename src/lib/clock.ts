/** A timer that was set; cancelling one that has run does nothing. */
export interface Timer {
  cancel(): void
}

/** All time in the program comes from here, so that tests run in virtual time. */
export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. For display only. */
  now(): number
  /** Milliseconds that only ever grow; for durations and schedules. */
  monotonic(): number
  /** Runs `action` once, `delayMs` from now but after 24 days at the latest. The name is for whoever lists open timers. */
  setTimer(name: string, delayMs: number, action: () => void): Timer
}

/** A longer delay makes Node's setTimeout fire at once. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (_name, delayMs, action) => {
    const handle = setTimeout(action, Math.min(Math.max(0, delayMs), longestDelayMs))
    return { cancel: () => clearTimeout(handle) }
  },
}
