import { type Config, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import { type Health, type Observation, step } from '../health/machine.ts'
import { printable } from '../lib/printable.ts'
import type { Event, Tell } from '../model/events.ts'
import { formatService, hostPort } from '../model/service.ts'

/** How a real server is called in the log: the configured address and port (behaviour reference 5.4). */
export function nameReal(virtual: Virtual, real: Real): { virtual: string; identity: string; real: string } {
  return {
    virtual: formatService(virtual.id),
    identity: virtual.key,
    real: hostPort(real.address ?? real.host, real.port),
  }
}

/** What is known of every real server now, and the telling of what changed. */
export interface HealthBook {
  /** A new config's reals, with the health found for them; those that left are forgotten. */
  replace(config: Config, health: ReadonlyMap<RealKey, Health>): void
  /** Counts an observation. True when the table may have to change. */
  observe(key: RealKey, observation: Observation): boolean
  warn(key: RealKey, text: string): void
  readonly health: ReadonlyMap<RealKey, Health>
}

interface Entry {
  readonly virtual: Virtual
  readonly real: Real
}

export function createHealthBook(tell: Tell): HealthBook {
  let health = new Map<RealKey, Health>()
  let entries = new Map<RealKey, Entry>()
  /** Reals whose last verdict was `unknown`, so that each episode is told once. */
  const unknown = new Set<RealKey>()

  const tellUnknown = (key: RealKey, entry: Entry, observation: Observation): void => {
    const { result } = observation
    if (result.verdict !== 'unknown') {
      unknown.delete(key)
      return
    }
    if (unknown.has(key)) return
    unknown.add(key)
    tell({
      kind: 'check-unknown',
      ...nameReal(entry.virtual, entry.real),
      detail: `${result.reason}: ${printable(result.detail)}`,
    })
  }

  return {
    get health() {
      return health
    },
    replace: (config, next) => {
      health = new Map(next)
      entries = new Map(
        config.virtuals.flatMap((virtual) =>
          virtual.reals.map((real): [RealKey, Entry] => [realKeyOf(virtual, real), { virtual, real }]),
        ),
      )
      for (const key of unknown) if (!entries.has(key)) unknown.delete(key)
    },
    observe: (key, observation) => {
      const entry = entries.get(key)
      const before = health.get(key)
      if (entry === undefined || before === undefined) return false
      const { failureCount, successCount } = entry.virtual
      const thresholds = { failureCount, successCount }
      const outcome = step(before, observation, thresholds)
      health.set(key, outcome.health)
      tellUnknown(key, entry, observation)
      for (const event of eventsOf(entry, outcome, observation)) tell(event)
      return outcome.change !== undefined
    },
    warn: (key, text) => {
      const entry = entries.get(key)
      if (entry !== undefined) {
        tell({ kind: 'check-warning', ...nameReal(entry.virtual, entry.real), text: printable(text) })
      }
    },
  }
}

function eventsOf(entry: Entry, outcome: ReturnType<typeof step>, observation: Observation): Event[] {
  const of = nameReal(entry.virtual, entry.real)
  const events: Event[] = []
  if (outcome.failuresReset === true) events.push({ kind: 'failures-reset', ...of })
  if (outcome.softFailure !== undefined) {
    const { failures } = outcome.softFailure
    const { failureCount } = entry.virtual
    events.push({ kind: 'soft-failure', ...of, failures, failureCount, result: observation.result })
  }
  if (outcome.change !== undefined) {
    const detail = printable(detailOf(observation))
    events.push({ kind: 'real-state', ...of, state: outcome.change, detail })
  }
  return events
}

function detailOf({ result }: Observation): string {
  return result.verdict === 'up' ? result.detail : `${result.reason}: ${result.detail}`
}
