import type { RealKey } from '../config/model.ts'
import type { Observation } from './machine.ts'

/** The last results of each real server, newest first, for whoever asks why it is as it is. */
export interface History {
  add(key: RealKey, observation: Observation): void
  /** Forgets all others, and keeps fewer of each when there are many. */
  retain(keys: ReadonlySet<RealKey>): void
  of(key: RealKey): readonly Observation[]
}

const mostEach = 10
const leastEach = 2
/** A result with its steps takes about a kilobyte. */
const mostAltogether = 20_000

export function createHistory(): History {
  const kept = new Map<RealKey, Observation[]>()
  let each = mostEach
  return {
    add: (key, observation) => {
      const before = kept.get(key) ?? []
      kept.set(key, [observation, ...before.slice(0, each - 1)])
    },
    retain: (keys) => {
      for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key)
      each = Math.max(leastEach, Math.min(mostEach, Math.floor(mostAltogether / Math.max(1, keys.size))))
    },
    of: (key) => kept.get(key) ?? [],
  }
}
