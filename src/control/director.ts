import { type Config, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import { isProbing } from '../health/cycle.ts'
import { initialHealth } from '../health/initial.ts'
import type { Health, Observation } from '../health/machine.ts'
import { createPool, type Pool, type Subscription } from '../health/pool.ts'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import type { Phase, Tell } from '../model/events.ts'
import type { ServiceKey } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import { type Desired, desired, type Hold } from '../table/desired.ts'
import { diff } from '../table/diff.ts'
import type { ObservedTable, TableBackend } from '../table/operation.ts'
import type { Plan } from '../table/plan.ts'
import { createHealthBook } from './health-book.ts'
import { leftBehind, type Marks } from './left-behind.ts'
import { createReconciler, type Reconciler, type View } from './reconciler.ts'
import { stopTable } from './stop-table.ts'

export interface DirectorPorts {
  readonly backend: TableBackend
  readonly clock: Clock
  readonly tell: Tell
  readonly concurrency: number
  /** After each pass over the table and each change of a real server's state. */
  readonly onChange?: () => void
  /** Each result of a check, before it is acted on. */
  readonly onObservation?: (key: RealKey, observation: Observation) => void
  /** Virtual services of the instance before us; at the start those that left the file are removed. */
  readonly before?: Marks | undefined
  /** Real servers of that config that the operator holds out now; asked at every pass. After a change of it: `reconcile`. */
  readonly holds?: (config: Config) => ReadonlyMap<RealKey, Hold>
}

/** Checks the real servers of one config at a time and keeps the table equal to what the file and the checks say. */
export interface Director {
  /** Adopts the table, begins the checks and makes the first pass. Rejects with TableError when the table cannot be read. */
  start(config: Config): Promise<void>
  /** Takes a new config; health is kept for what did not change. Resolves after the pass that follows. */
  change(config: Config, phase: 'reloading' | 'running'): Promise<void>
  /** Ends the checks and clears the table as `cleanstop` says; with `keepTable` it stays as it is. */
  stop(options?: { readonly keepTable: boolean }): Promise<void>
  /** What a reload of this config would change in the table as it is now. Rejects with TableError. */
  preview(next: Config): Promise<Plan>
  /** One pass over the table that begins after this call; nothing before the start. */
  reconcile(): Promise<void>
  /** Whether a virtual service is ours: wanted, or still to be removed. */
  owns(key: ServiceKey): boolean
  /** starting lasts until every check has had its first result and the table was brought in line with it. */
  readonly phase: Phase
  /** The table as the last pass read it. */
  readonly observed: ObservedTable | undefined
  readonly holds: ReadonlyMap<RealKey, Hold>
  /** What ought to be in the table at this moment, and why. */
  readonly desired: Desired
  /** Milliseconds until the next check of a real server is due; undefined when none is. */
  dueInMs(key: RealKey): number | undefined
  /**
   * Numbers that grow while the loops live: ended passes over the table, begun runs of checks, and those left out because
   * the one before had not ended. `waiting` is how many wait for a place.
   */
  readonly progress: Readonly<Record<'passes' | 'runs' | 'overruns' | 'waiting', number>>
  readonly config: Config
  readonly health: ReadonlyMap<RealKey, Health>
  readonly drift: readonly string[]
}

const readWithinMs = 10_000
const noHolds: ReadonlyMap<RealKey, Hold> = new Map()

export function createDirector(ports: DirectorPorts): Director {
  const { backend, clock, tell } = ports
  const book = createHealthBook(tell)
  let current: Config | undefined
  let phase: Phase = 'starting'
  /** Virtual services whose fallback stood in the table when the config came; after a pass what we applied is asked. */
  let adoptedFallbacks: ReadonlySet<ServiceKey> = new Set()

  const config = (): Config => {
    if (current === undefined) throw new Error('the director has not been started')
    return current
  }
  const holds = (): ReadonlyMap<RealKey, Hold> =>
    (current === undefined ? undefined : ports.holds?.(current)) ?? noHolds
  /** Real servers whose first result since the start is awaited. */
  const awaited = new Set<RealKey>()
  const run = (): void => {
    if (phase !== 'starting') return
    phase = 'running'
    ports.onChange?.()
  }
  const view = (): View => {
    const { virtuals, globals } = config()
    return {
      desired: desired({ virtuals, health: book.health, maintenance: holds(), fallbackInForce: inForce() }),
      policy: { drift: globals.drift, readdQuiescent: globals.readdQuiescent },
      undecided: undecided(virtuals, book.health),
      phase,
    }
  }
  const inForce = (): ReadonlySet<ServiceKey> =>
    new Set(
      config()
        .virtuals.filter((virtual) => isFallbackIn(virtual, reconciler))
        .map((virtual) => virtual.key)
        .concat(...adoptedFallbacks),
    )
  const reconciler = createReconciler({
    backend,
    clock,
    tell,
    view,
    onSettled: () => {
      adoptedFallbacks = new Set()
      ports.onChange?.()
    },
  })
  const pool: Pool = createPool({
    clock,
    concurrency: ports.concurrency,
    isVirtualAddress: (address) => config().virtuals.some((v) => v.id.kind === 'address' && v.id.address === address),
    onObservation: (key, observation) => {
      ports.onObservation?.(key, observation)
      const startEnds = awaited.delete(key) && awaited.size === 0 && phase === 'starting'
      const changes = book.observe(key, observation)
      if (changes) ports.onChange?.()
      // What the last first result brings still belongs to the start: alerts say so.
      if (startEnds) void reconciler.reconcile().finally(run)
      else if (changes) void reconciler.reconcile()
    },
    onWarning: (key, text) => book.warn(key, text),
    onFault: (error) => tell({ kind: 'fault', text: messageOf(error) }),
  })

  const take = (next: Config, actual: ObservedTable, previous: ReadonlyMap<RealKey, Health>): void => {
    const found = foundIn(actual)
    const health = initialHealth({ virtuals: next.virtuals, found, previous, now: clock.now() })
    current = next
    book.replace(next, health)
  }
  const read = (of: Config, more: Iterable<ServiceKey> = []): Promise<ObservedTable> =>
    withDeadline({ clock, ms: readWithinMs }, (signal) => backend.read(new Set([...keysOf(of), ...more]), signal))
  const keysOf = (of: Config): ServiceKey[] => of.virtuals.map((v) => v.key)

  return {
    start: async (first) => {
      const before: Marks = ports.before ?? new Map()
      const actual = await read(first, before.keys())
      take(first, actual, new Map())
      reconciler.inherit(leftBehind(before, first, actual))
      adoptedFallbacks = fallbacksIn(first, actual)
      await reconciler.reconcile(keysOf(first))
      const subscriptions = subscriptionsOf(first)
      for (const { key, checking } of subscriptions) if (isProbing(checking)) awaited.add(key)
      if (awaited.size === 0) run()
      pool.update(subscriptions)
    },
    change: async (next, why) => {
      // When the table cannot be read now, reals that are new to us wait for their first verdict.
      const actual = await read(next).catch(() => ({ services: new Map(), keys: new Set<ServiceKey>() }))
      take(next, actual, book.health)
      awaited.clear()
      adoptedFallbacks = fallbacksIn(next, actual)
      phase = why
      pool.update(subscriptionsOf(next))
      await reconciler.reconcile(why === 'reloading' ? keysOf(next) : [])
      phase = 'running'
    },
    stop: async ({ keepTable } = { keepTable: false }) => {
      phase = 'stopping'
      await Promise.all([pool.stop(), reconciler.stop()])
      if (current === undefined || keepTable) return
      await stopTable({ backend, clock, tell, config: current, applied: reconciler.applied })
    },
    preview: async (next) => {
      const actual = await read({ ...next, virtuals: [...config().virtuals, ...next.virtuals] })
      const { virtuals, globals } = next
      const found = { found: foundIn(actual), previous: book.health, now: clock.now() }
      const health = initialHealth({ virtuals, ...found })
      const wanted = desired({ virtuals, health, maintenance: holds(), fallbackInForce: fallbacksIn(next, actual) })
      const policy = { drift: globals.drift, readdQuiescent: globals.readdQuiescent }
      return diff({ actual, desired: wanted, applied: reconciler.applied, mode: 'full', policy })
    },
    owns: (key) => reconciler.applied.has(key),
    reconcile: () => (current === undefined ? Promise.resolve() : reconciler.reconcile()),
    dueInMs: (key) => pool.dueInMs(key),
    get phase() {
      return phase
    },
    get observed() {
      return reconciler.observed
    },
    get desired() {
      return view().desired
    },
    get holds() {
      return holds()
    },
    get progress() {
      const { runs, overruns, waiting } = pool.stats()
      return { passes: reconciler.passes, runs, overruns, waiting }
    },
    get config() {
      return config()
    },
    get health() {
      return book.health
    },
    get drift() {
      return reconciler.drift
    },
  }
}

export function subscriptionsOf(config: Config): Subscription[] {
  return config.virtuals.flatMap((virtual) =>
    virtual.reals.map((real) => ({
      key: realKeyOf(virtual, real),
      checking: real.checking,
      intervalMs: virtual.checkIntervalMs,
      jitterMs: virtual.checkJitterMs,
    })),
  )
}

/** Whether a real server stands in the table with weight: such a one is taken as up until a check says otherwise. */
export function foundIn(actual: ObservedTable): Parameters<typeof initialHealth>[0]['found'] {
  return (virtual, real) => {
    if (real.address === undefined) return false
    const key = destinationKeyOf({ address: real.address, port: real.effectivePort })
    return (actual.services.get(virtual.key)?.destinations.get(key)?.weight ?? 0) > 0
  }
}

export function fallbacksIn(config: Config, actual: ObservedTable): ReadonlySet<ServiceKey> {
  const serving = config.virtuals.filter((virtual) => {
    const fallback = virtual.fallback?.destination
    if (fallback === undefined) return false
    const entry = actual.services.get(virtual.key)?.destinations.get(destinationKeyOf(fallback))
    return entry !== undefined && entry.weight > 0
  })
  return new Set(serving.map((virtual) => virtual.key))
}

function isFallbackIn(virtual: Virtual, reconciler: Reconciler): boolean {
  const fallback = virtual.fallback?.destination
  if (fallback === undefined) return false
  return reconciler.applied.get(virtual.key)?.destinations.has(destinationKeyOf(fallback)) ?? false
}

function undecided(virtuals: readonly Virtual[], health: ReadonlyMap<RealKey, Health>): ReadonlySet<ServiceKey> {
  const pending = virtuals.filter((virtual) =>
    virtual.reals.some((real) => health.get(realKeyOf(virtual, real))?.state === 'pending'),
  )
  return new Set(pending.map((virtual) => virtual.key))
}
