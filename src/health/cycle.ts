import type { Probe } from '../check/probe.ts'
import type { Checking } from '../config/model.ts'
import type { Verdict } from '../model/verdict.ts'

/** The kinds of checking that have something to run. */
export type Probing = Extract<Checking, { kind: 'probe' | 'combined' }>

export function isProbing(checking: Checking): checking is Probing {
  return checking.kind === 'probe' || checking.kind === 'combined'
}

/** What two subscribers must have in common to share runs: the probe, or for combined the whole cycle. */
export function cycleKeyOf(checking: Probing): string {
  if (checking.kind === 'probe') return checking.probe.key
  return JSON.stringify(['combined', checking.connects, checking.negotiate.key, checking.connect.key])
}

/** `connectsLeft` of a cycle that has just begun: the first run is the negotiate. */
export const firstConnectsLeft = 0

export function probeOf(checking: Probing, connectsLeft: number): Probe {
  if (checking.kind === 'probe') return checking.probe
  return connectsLeft > 0 ? checking.connect : checking.negotiate
}

/**
 * Connects still to come after a run (behaviour reference 3.3): a negotiate that succeeds is followed by N of them, a
 * failure of either by a negotiate. An `unknown` says nothing, so the same run is due again.
 */
export function connectsAfter(checking: Probing, connectsLeft: number, verdict: Verdict): number {
  if (checking.kind === 'probe' || verdict === 'unknown') return connectsLeft
  if (verdict === 'down') return 0
  return connectsLeft > 0 ? connectsLeft - 1 : checking.connects
}
