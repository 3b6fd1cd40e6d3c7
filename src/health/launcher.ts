import type { Probe } from '../check/probe.ts'
import { type ProbeRun, runProbe } from '../check/run.ts'
import type { Clock } from '../lib/clock.ts'
import { createSemaphore } from '../lib/semaphore.ts'

export interface LauncherOptions {
  readonly clock: Clock
  /** How many probes may be in flight at once. */
  readonly concurrency: number
  isVirtualAddress(address: string): boolean
}

export interface LaunchOptions {
  readonly signal: AbortSignal
  warn(text: string): void
}

/** Runs probes as soon as there is a place for them. */
export interface Launcher {
  /** Undefined when the signal fired before its turn came. Never rejects. */
  launch(probe: Probe, options: LaunchOptions): Promise<ProbeRun | undefined>
  readonly running: number
  readonly waiting: number
}

/**
 * A cold boot starts every check at once. Sockets only wait, but hundreds of child processes on few cores would keep each
 * other from ending in time, and good servers would look slow.
 */
const mostChildren = 64

export function createLauncher({ clock, concurrency, isVirtualAddress }: LauncherOptions): Launcher {
  const sockets = createSemaphore(concurrency)
  const children = createSemaphore(Math.min(concurrency, mostChildren))
  const gateOf = ({ check }: Probe) => (check.kind === 'ping' || check.kind === 'external' ? children : sockets)

  return {
    async launch(probe, { signal, warn }) {
      const release = await gateOf(probe)
        .acquire(signal)
        .catch(() => undefined)
      if (release === undefined) return undefined
      try {
        return await runProbe(probe, { clock, signal, isVirtualAddress, warn })
      } finally {
        release()
      }
    },
    get running() {
      return sockets.held + children.held
    },
    get waiting() {
      return sockets.waiting + children.waiting
    },
  }
}
