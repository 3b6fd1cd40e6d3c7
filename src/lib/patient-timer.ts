import type { Clock, Timer } from './clock.ts'

const slices = 8
/** Later than this and the program was busy or stopped; more than a usual garbage collection takes. */
const lateMs = 50
const longestExtensionMs = 10_000

/**
 * A timer that counts only time in which this program could have seen an answer. A process that loads code, is
 * starved or was stopped comes late to its timers; what the other side sent meanwhile lies unread, and calling that
 * silence would blame it for our own delay. Time is counted in eighths, and one that ends late does not count.
 * `action` runs 10 s after `ms` at the latest, once the program runs at all.
 */
export function setPatientTimer(clock: Clock, { name, ms }: { name: string; ms: number }, action: () => void): Timer {
  const slice = Math.max(1, Math.ceil(ms / slices))
  const limit = clock.monotonic() + ms + longestExtensionMs
  let timer: Timer
  const count = (left: number): void => {
    const length = Math.min(left, slice)
    const due = clock.monotonic() + length
    timer = clock.setTimer(name, length, () => {
      const now = clock.monotonic()
      const remaining = now - due > lateMs && now < limit ? left : left - length
      if (remaining > 0) count(remaining)
      else action()
    })
  }
  count(ms)
  return { cancel: () => timer.cancel() }
}
