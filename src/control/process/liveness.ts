import type { Config } from '../../config/model.ts'
import { isProbing } from '../../health/cycle.ts'

/** What the loops have done so far, as the director counts it. */
export interface Progress {
  /** Ended passes over the table, well or not. */
  readonly passes: number
  readonly runs: number
  /** Runs that were due and left out: a server that is silent until its deadline keeps its own check from running. */
  readonly overruns: number
}

/** What is known of the loops from looking at their progress now and then. */
export interface Vigil {
  readonly seen: Progress
  /** How long no pass has ended, in time that was really looked at. */
  readonly quietPassesMs: number
  /** How long no check was due. */
  readonly quietChecksMs: number
}

export const newVigil = (seen: Progress): Vigil => ({ seen, quietPassesMs: 0, quietChecksMs: 0 })

/**
 * One more look, `elapsedMs` after the last. Whoever looks counts no more than he meant to wait: time in which the whole
 * process stood still says nothing about one of its loops.
 */
export function look(vigil: Vigil, seen: Progress, elapsedMs: number): Vigil {
  const before = vigil.seen
  const passed = seen.passes !== before.passes
  const checked = seen.runs + seen.overruns !== before.runs + before.overruns
  return {
    seen,
    quietPassesMs: passed ? 0 : vigil.quietPassesMs + elapsedMs,
    quietChecksMs: checked ? 0 : vigil.quietChecksMs + elapsedMs,
  }
}

/** Longest silence of a loop that works, in milliseconds; no `checks`: none is due. */
export interface Due {
  readonly passesMs: number
  readonly checksMs: number | undefined
}

/**
 * A pass comes every five seconds, rests one, and can take four reads and a batch of at most ten seconds each before
 * it gives up; what takes longer hangs.
 */
const passesMs = 60_000
/** A process that was held up makes up for at most ten seconds (health/pool). */
const slackMs = 10_000

/**
 * Every check of a config begins, or is left out, once in its interval; the second comes after one and a half at the latest
 * (health/schedule.ts). So after twice the shortest one is late.
 */
export function dueOf({ virtuals }: Pick<Config, 'virtuals'>): Due {
  const periods = virtuals
    .filter((virtual) => virtual.reals.some((real) => isProbing(real.checking)))
    .map((virtual) => 2 * virtual.checkIntervalMs + virtual.checkJitterMs)
  const shortest = periods.reduce((least, period) => Math.min(least, period), Number.POSITIVE_INFINITY)
  return { passesMs, checksMs: periods.length === 0 ? undefined : shortest + slackMs }
}

/** Which loop does not move any more, in words; undefined when all do. */
export function stuckLoop(vigil: Vigil, due: Due): string | undefined {
  const seconds = (ms: number): number => Math.round(ms / 1000)
  if (vigil.quietPassesMs > due.passesMs) return `no pass over the IPVS table for ${seconds(vigil.quietPassesMs)} s`
  if (due.checksMs !== undefined && vigil.quietChecksMs > due.checksMs) {
    return `no check has begun for ${seconds(vigil.quietChecksMs)} s`
  }
  return undefined
}
