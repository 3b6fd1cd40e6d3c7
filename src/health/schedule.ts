import { createHash } from 'node:crypto'

/**
 * Runs of a probe stand on a grid of its interval, which a hash of its key alone shifts: a thousand probes with one
 * interval are spread over it, and always the same way. All moments are whole milliseconds of the monotonic clock.
 */
export interface Grid {
  readonly intervalMs: number
  /** 0 ≤ phase < interval. */
  readonly phaseMs: number
}

export function gridOf(key: string, intervalMs: number): Grid {
  const interval = Math.max(1, Math.round(intervalMs))
  const part = createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32
  return { intervalMs: interval, phaseMs: Math.floor(part * interval) }
}

/**
 * The next moment on the grid, half an interval after the last run at the earliest: so the first run, which stands off the
 * grid, is followed by the second after half an interval to one and a half.
 */
export function nextSlot(grid: Grid, last: number, now: number): number {
  const { intervalMs, phaseMs } = grid
  const earliest = Math.max(last + intervalMs / 2, now)
  return phaseMs + Math.ceil((earliest - phaseMs) / intervalMs) * intervalMs
}

/** By how much a run comes after its slot: a part, 0 ≤ part < 1, of the jitter, which never reaches the next slot. */
export function lateness({ intervalMs }: Grid, jitterMs: number, part: number): number {
  return Math.floor(part * Math.min(jitterMs, intervalMs - 1))
}

/** One subscriber's own rhythm on a probe that may run more often for others. */
export interface Rhythm {
  readonly intervalMs: number
  /** When it wants its next result; before all time when it has had none. */
  readonly due: number
}

export const newRhythm = (intervalMs: number): Rhythm => ({ intervalMs, due: Number.NEGATIVE_INFINITY })

/** Whether a run at `slot` is the one nearest to what the subscriber waits for. */
export function isDue(rhythm: Rhythm, slot: number, gridMs: number): boolean {
  return slot + gridMs / 2 >= rhythm.due
}

/** After a result: one interval on, and never in the past, so that what was missed is not made up for in a burst. */
export function afterResult({ intervalMs, due }: Rhythm, slot: number): Rhythm {
  const next = due + intervalMs
  return { intervalMs, due: next > slot ? next : slot + intervalMs }
}

/** The same rhythm with another interval, counted from the same last result. */
export function withInterval({ intervalMs, due }: Rhythm, wanted: number): Rhythm {
  return { intervalMs: wanted, due: due - intervalMs + wanted }
}
