import type { Probe } from '../check/probe.ts'
import type { Checking, RealKey } from '../config/model.ts'
import type { Clock } from '../lib/clock.ts'
import { type CheckResult, down, unknown, up } from '../model/verdict.ts'
import { createLauncher, type LauncherOptions } from './launcher.ts'
import type { Observation } from './machine.ts'
import type { Subscription } from './pool.ts'

export interface CheckOnceOptions extends LauncherOptions {
  readonly subscriptions: readonly Subscription[]
  /** Calls the rest off: what has not ended by then is unknown, `cancelled`. */
  readonly signal?: AbortSignal
  /** After each probe that ended; one that several real servers share counts once. */
  onProgress?(done: number, total: number): void
  onWarning?(key: RealKey, text: string): void
}

interface Job {
  readonly probe: Probe
  readonly keys: RealKey[]
}

/**
 * Every probe once, in parallel, one run for all who share it; of a combined check the negotiate. A real whose checks are
 * off has no observation in the answer.
 */
export async function checkOnce(options: CheckOnceOptions): Promise<ReadonlyMap<RealKey, Observation>> {
  const { subscriptions, clock, onProgress, onWarning } = options
  const launcher = createLauncher(options)
  const signal = options.signal ?? new AbortController().signal
  const found = new Map<RealKey, Observation>()
  const jobs = jobsOf(subscriptions)
  for (const { key, checking } of subscriptions) {
    const known = withoutProbe(checking)
    if (known !== undefined) found.set(key, instant(known, clock))
  }
  let done = 0
  await Promise.all(
    jobs.map(async ({ probe, keys }) => {
      const warn = (text: string): void => {
        for (const key of keys) onWarning?.(key, text)
      }
      const run = await launcher.launch(probe, { signal, warn })
      const observation: Observation =
        run === undefined
          ? instant(unknown('cancelled', 'called off before it began'), clock)
          : { result: run.result, at: run.at, durationMs: run.durationMs }
      for (const key of keys) found.set(key, observation)
      done += 1
      onProgress?.(done, jobs.length)
    }),
  )
  return inOrder(subscriptions, found)
}

function jobsOf(subscriptions: readonly Subscription[]): Job[] {
  const jobs = new Map<string, Job>()
  for (const { key, checking } of subscriptions) {
    const probe = probeToRun(checking)
    if (probe === undefined) continue
    const job = jobs.get(probe.key) ?? { probe, keys: [] }
    job.keys.push(key)
    jobs.set(probe.key, job)
  }
  return [...jobs.values()]
}

function probeToRun(checking: Checking): Probe | undefined {
  if (checking.kind === 'probe') return checking.probe
  return checking.kind === 'combined' ? checking.negotiate : undefined
}

function withoutProbe(checking: Checking): CheckResult | undefined {
  if (checking.kind === 'on') return up('not checked (checktype=on, or service=none)')
  return checking.kind === 'unresolved' ? down('unreachable', checking.detail) : undefined
}

function instant(result: CheckResult, clock: Clock): Observation {
  return { result, at: clock.now(), durationMs: 0 }
}

/** As the file has them, whatever ended first. */
function inOrder(
  subscriptions: readonly Subscription[],
  found: ReadonlyMap<RealKey, Observation>,
): ReadonlyMap<RealKey, Observation> {
  return new Map(
    subscriptions.flatMap(({ key }) => {
      const observation = found.get(key)
      return observation === undefined ? [] : [[key, observation] as const]
    }),
  )
}
