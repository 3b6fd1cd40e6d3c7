import type { Checking, RealKey } from '../config/model.ts'
import { cycleKeyOf, isProbing, type Probing } from './cycle.ts'
import { createLauncher, type LauncherOptions } from './launcher.ts'
import type { Observation } from './machine.ts'
import { Runner } from './runner.ts'

/** A real server whose state is wanted, and how often. */
export interface Subscription {
  readonly key: RealKey
  /** `on`, `off` and `unresolved` have nothing to run and are passed over. */
  readonly checking: Checking
  readonly intervalMs: number
  /** Each run but the first comes at random up to so much later; absent: never. */
  readonly jitterMs?: number
}

/**
 * A callback that throws does not stop the pool nor keep others from being told. The error goes to `onFault`; without one it
 * is thrown where nobody catches it, for a bug must not pass in silence (design 7).
 */
export interface PoolOptions extends LauncherOptions {
  onObservation(key: RealKey, observation: Observation): void
  /** What a check says beside its verdict, printable; once per text. */
  onWarning(key: RealKey, text: string): void
  /** A run was due while the one before had not ended; it was left out. */
  onOverrun?(key: RealKey): void
  onFault?(error: unknown): void
  /** From 0 to below 1; for tests. */
  random?(): number
}

export interface PoolStats {
  /** Probes on a schedule; one that several real servers share counts once. */
  readonly probes: number
  readonly running: number
  /** Runs that wait for a place. */
  readonly waiting: number
  /** Runs that did not stop when told and have not ended yet. */
  readonly lingering: number
  readonly runs: number
  readonly overruns: number
  readonly faults: number
}

export interface Pool {
  /** Probes that stay keep their schedule and their run; those that left are called off; new ones start at once. */
  update(subscriptions: readonly Subscription[]): void
  /** Calls everything off and resolves when no check runs any more, except one that does not stop when told. */
  stop(): Promise<void>
  stats(): PoolStats
  /** Milliseconds until the next run for a real server is due; undefined when it has none. */
  dueInMs(key: RealKey): number | undefined
}

interface Wanted {
  readonly checking: Probing
  readonly intervals: Map<RealKey, number>
  /** The least that one of them allows. */
  readonly jitterMs: number
}

export function createPool(options: PoolOptions): Pool {
  const launcher = createLauncher(options)
  const runners = new Map<string, Runner>()
  const busy = new Map<string, Promise<void>>()
  const active = new Set<Promise<unknown>>()
  const counts = { runs: 0, overruns: 0, faults: 0 }
  const onFault = options.onFault ?? throwLater
  let stopped = false

  const guarded = (action: () => void): void => {
    try {
      action()
    } catch (error) {
      counts.faults += 1
      onFault(error)
    }
  }
  const tell = {
    observation: (key: RealKey, seen: Observation) => guarded(() => options.onObservation(key, seen)),
    warning: (key: RealKey, text: string) => guarded(() => options.onWarning(key, text)),
    overrun: (keys: readonly RealKey[]) => {
      counts.overruns += 1
      for (const key of keys) guarded(() => options.onOverrun?.(key))
    },
  }
  const started = (run: Promise<unknown>): void => {
    counts.runs += 1
    active.add(run)
    void run.finally(() => active.delete(run))
  }
  const runnerFor = (key: string, checking: Probing): Runner => {
    const known = runners.get(key)
    if (known !== undefined) return known
    const { clock, random = Math.random } = options
    const runner = new Runner({ key, checking, clock, launch: launcher.launch, random, tell, busy, started })
    runners.set(key, runner)
    return runner
  }

  return {
    update(subscriptions) {
      if (stopped) return
      const wanted = grouped(subscriptions)
      for (const [key, runner] of runners) {
        if (wanted.has(key)) continue
        runners.delete(key)
        runner.stop()
      }
      for (const [key, { checking, intervals, jitterMs }] of wanted) {
        runnerFor(key, checking).subscribe(intervals, jitterMs)
      }
    },
    async stop() {
      stopped = true
      for (const runner of runners.values()) runner.stop()
      runners.clear()
      await Promise.all(active)
    },
    dueInMs: (key) => [...runners.values()].find((runner) => runner.subscribes(key))?.dueInMs,
    stats: () => ({
      probes: runners.size,
      running: launcher.running,
      waiting: launcher.waiting,
      lingering: busy.size - active.size,
      ...counts,
    }),
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** By what they share, in the order of first mention: this is also the order in which first runs get their place. */
function grouped(subscriptions: readonly Subscription[]): Map<string, Wanted> {
  const groups = new Map<string, Wanted>()
  for (const { key, checking, intervalMs, jitterMs = 0 } of subscriptions) {
    if (!isProbing(checking)) continue
    const cycle = cycleKeyOf(checking)
    const group = groups.get(cycle) ?? { checking, intervals: new Map<RealKey, number>(), jitterMs }
    group.intervals.set(key, intervalMs)
    groups.set(cycle, { ...group, jitterMs: Math.min(group.jitterMs, jitterMs) })
  }
  return groups
}
