import type { TimedStep } from '../check/run.ts'
import type { CheckResult } from '../model/verdict.ts'

/** What is held of one real server in one virtual service. */
export interface Health {
  readonly state: 'pending' | 'up' | 'down'
  /** Wall clock of the last change of state, milliseconds since 1970. */
  readonly since: number
  /** Failures in a row while it was up; kept while it is down, 0 after a success. */
  readonly failures: number
  /** Successes in a row while it is down. */
  readonly successes: number
  /** Absent while nothing has been observed: `up` without it was adopted from the table and is not verified. */
  readonly last?: Observation
}

export interface Observation {
  readonly result: CheckResult
  /** Wall clock when the probe ended, milliseconds since 1970. */
  readonly at: number
  readonly durationMs: number
  /** How far it got and when; for showing. */
  readonly steps?: readonly TimedStep[]
}

export interface Thresholds {
  /** Consecutive failures that take a real that is up out (failurecount). */
  readonly failureCount: number
  /** Consecutive successes that bring it back; 1 in Perl ldirectord. */
  readonly successCount: number
}

/** What one observation does. At most one of `change` and `softFailure` is there. */
export interface Step {
  readonly health: Health
  /** The state that was entered now. */
  readonly change?: 'up' | 'down'
  /** It failed and stays up for now: the nth failure in a row. */
  readonly softFailure?: { readonly failures: number }
  /** A success ended a row of failures. */
  readonly failuresReset?: boolean
}

/**
 * One observation counted. The first verdict decides a pending real at once, whatever the thresholds: nobody relies on it
 * yet. An `unknown` is remembered and changes nothing, not even a row of failures (design 4).
 */
export function step(health: Health, observation: Observation, thresholds: Thresholds): Step {
  const seen: Health = { ...health, last: observation }
  switch (observation.result.verdict) {
    case 'unknown':
      return { health: seen }
    case 'up':
      return succeeded(seen, observation.at, thresholds.successCount)
    case 'down':
      return failed(seen, observation.at, thresholds.failureCount)
  }
}

function succeeded(health: Health, at: number, successCount: number): Step {
  const reset = health.failures > 0 ? { failuresReset: true } : {}
  if (health.state === 'up') return { health: { ...health, failures: 0 }, ...reset }
  const successes = health.successes + 1
  if (health.state === 'down' && successes < successCount) {
    return { health: { ...health, failures: 0, successes }, ...reset }
  }
  return { health: { ...health, state: 'up', since: at, failures: 0, successes: 0 }, change: 'up', ...reset }
}

function failed(health: Health, at: number, failureCount: number): Step {
  // Failures of a real that is down are not counted (behaviour reference 4.5).
  if (health.state === 'down') return { health: { ...health, successes: 0 } }
  const failures = health.failures + 1
  if (health.state === 'up' && failures < failureCount) {
    return { health: { ...health, failures }, softFailure: { failures } }
  }
  return { health: { ...health, state: 'down', since: at, failures, successes: 0 }, change: 'down' }
}
