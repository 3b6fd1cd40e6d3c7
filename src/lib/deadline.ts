import { setMaxListeners } from 'node:events'
import type { Clock } from './clock.ts'
import { DeadlineError } from './deadline-error.ts'
import { setPatientTimer } from './patient-timer.ts'

export interface DeadlineOptions {
  readonly clock: Clock
  /** Milliseconds from now; time in which this program was held up does not count. */
  readonly ms: number
  /** Whoever may cancel the whole: its reason becomes the reason of the signal that `work` gets. */
  readonly parent?: AbortSignal | undefined
}

/**
 * Runs `work` with a signal that fires with a DeadlineError after `ms`, or with the parent's reason when that fires first.
 * It does not race: it ends when `work` ends, so `work` must hand the signal on to its socket or child.
 * Throws the parent's reason without starting `work` when the parent has fired already.
 */
export async function withDeadline<T>(options: DeadlineOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, ms, parent } = options
  parent?.throwIfAborted()
  // Made by hand: AbortSignal.any leaves an entry on a long-lived parent for every signal derived from it (Node 20).
  const controller = new AbortController()
  const cancel = (): void => controller.abort(parent?.reason)
  const timer = setPatientTimer(clock, { name: 'deadline', ms }, () => {
    controller.abort(new DeadlineError(ms))
  })
  // A thousand probes on one parent are no leak: each takes its listener away below.
  if (parent !== undefined) setMaxListeners(0, parent)
  parent?.addEventListener('abort', cancel, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    timer.cancel()
    parent?.removeEventListener('abort', cancel)
  }
}
