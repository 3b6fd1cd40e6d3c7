import type { Config, RealKey } from '../config/model.ts'
import type { Observation } from '../health/machine.ts'
import { messageOf } from '../lib/errors.ts'
import type { Event, Tell } from '../model/events.ts'

/**
 * Something that lives beside the director and hears what happens: the log, alerts, scripts, systemd. None of these may
 * wait or throw; one that throws is told as a fault and disturbs nobody.
 */
export interface Companion {
  readonly name: string
  tell?(event: Event): void
  /** A config comes into force: at start before the first pass, with a reload, when a name got its address. */
  onConfig?(config: Config): void
  /** The file is read again; `ended`: the new one is in force, or the old one was kept. */
  onReload?(stage: 'begun' | 'ended'): void
  /** The file has other content: a reload has followed where `autoreload` says so, well or not. */
  onFileChanged?(file: string): void
  /** Each result of a check, for each real server that wants it. */
  onObservation?(key: RealKey, observation: Observation): void
  /** After each pass over the table and each change of a real server's state. */
  onChange?(): void
  /** The last call, after the director has stopped; resolves in bounded time. */
  stop?(): Promise<void>
}

/** All companions as one. Those that are added later hear what happens from then on. */
export interface Companions extends Required<Omit<Companion, 'name' | 'tell'>> {
  readonly tell: Tell
  add(companion: Companion): void
}

export function createCompanions(): Companions {
  const all: Companion[] = []
  const each = (act: (companion: Companion) => void): void => {
    for (const companion of all) {
      try {
        act(companion)
      } catch (error) {
        tellFault(all, companion, error)
      }
    }
  }
  return {
    add: (companion) => void all.push(companion),
    tell: (event) => each((companion) => companion.tell?.(event)),
    onConfig: (config) => each((companion) => companion.onConfig?.(config)),
    onReload: (stage) => each((companion) => companion.onReload?.(stage)),
    onFileChanged: (file) => each((companion) => companion.onFileChanged?.(file)),
    onObservation: (key, observation) => each((companion) => companion.onObservation?.(key, observation)),
    onChange: () => each((companion) => companion.onChange?.()),
    // In turn, the last that came first: the log, which came first, hears how the others end.
    stop: async () => {
      for (const companion of all.toReversed()) {
        try {
          await companion.stop?.()
        } catch (error) {
          tellFault(all, companion, error)
        }
      }
    },
  }
}

function tellFault(all: readonly Companion[], guilty: Companion, error: unknown): void {
  const text = `${guilty.name}: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`
  for (const companion of all) {
    if (companion === guilty) continue
    try {
      companion.tell?.({ kind: 'fault', text })
    } catch {
      // Two that fail at once: nobody is left to hear of it but the others in this loop.
    }
  }
}
