import type { ProbeRun } from '../check/run.ts'
import type { RealKey } from '../config/model.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { connectsAfter, firstConnectsLeft, type Probing, probeOf } from './cycle.ts'
import type { Launcher } from './launcher.ts'
import type { Observation } from './machine.ts'
import {
  afterResult,
  type Grid,
  gridOf,
  isDue,
  lateness,
  newRhythm,
  nextSlot,
  type Rhythm,
  withInterval,
} from './schedule.ts'

export interface RunnerParts {
  readonly key: string
  readonly checking: Probing
  readonly clock: Clock
  readonly launch: Launcher['launch']
  /** A number from 0 to below 1, for `checkjitter`. */
  readonly random: () => number
  /** What a runner tells; none of these throws. */
  readonly tell: {
    observation(key: RealKey, observation: Observation): void
    warning(key: RealKey, text: string): void
    overrun(keys: readonly RealKey[]): void
  }
  /**
   * Runs that have not ended, by cycle key. It belongs to the pool, for a run can outlive its runner, and one that takes its
   * place after a reload must not start beside it.
   */
  readonly busy: Map<string, Promise<void>>
  /** Told of every run: it ends when the check ended or was abandoned. */
  started(run: Promise<unknown>): void
}

/** A server that says something new each time must not fill memory. */
const mostWarnings = 20

/** One probe (or combined cycle) on its schedule, for all who want its results. */
export class Runner {
  readonly #parts: RunnerParts
  readonly #controller = new AbortController()
  readonly #subscribers = new Map<RealKey, Rhythm>()
  readonly #warned = new Set<string>()
  #grid: Grid | undefined
  #jitterMs = 0
  #lastSlot = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #dueAt: number | undefined
  #isRunning = false
  #connectsLeft = firstConnectsLeft

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /**
   * Sets who wants results and how often (milliseconds), and by how much each run may come late. One who is new gets a
   * result at once, not an interval later.
   */
  subscribe(wanted: ReadonlyMap<RealKey, number>, jitterMs = 0): void {
    let someoneIsNew = false
    for (const key of this.#subscribers.keys()) if (!wanted.has(key)) this.#subscribers.delete(key)
    for (const [key, intervalMs] of wanted) {
      const known = this.#subscribers.get(key)
      someoneIsNew ||= known === undefined
      this.#subscribers.set(key, known === undefined ? newRhythm(intervalMs) : withInterval(known, intervalMs))
    }
    this.#jitterMs = jitterMs
    const before = this.#grid?.intervalMs
    this.#grid = gridOf(this.#parts.key, Math.min(...wanted.values()))
    // A run that is under way serves the newcomers too.
    if (someoneIsNew && !this.#isRunning) this.#runNow()
    else if (before !== this.#grid.intervalMs) this.#plan(this.#grid)
  }

  /** Calls the run off; what it finds is dropped. */
  stop(): void {
    this.#timer?.cancel()
    this.#subscribers.clear()
    this.#controller.abort(new Error('no longer wanted'))
  }

  #runNow(): void {
    const busy = this.#parts.busy.get(this.#parts.key)
    if (busy === undefined) {
      this.#begin(this.#now())
      return
    }
    this.#lastSlot = this.#now()
    if (this.#grid !== undefined) this.#plan(this.#grid)
    void busy.then(() => {
      if (!this.#controller.signal.aborted && !this.#parts.busy.has(this.#parts.key)) this.#begin(this.#now())
    })
  }

  /** Milliseconds until the next run is due by the clock; undefined when none is planned. */
  get dueInMs(): number | undefined {
    return this.#dueAt === undefined ? undefined : Math.max(0, this.#dueAt - this.#parts.clock.monotonic())
  }

  subscribes(key: RealKey): boolean {
    return this.#subscribers.has(key)
  }

  #now(): number {
    return Math.round(this.#parts.clock.monotonic())
  }

  #plan(grid: Grid): void {
    const now = this.#parts.clock.monotonic()
    const slot = nextSlot(grid, this.#lastSlot, now)
    this.#timer?.cancel()
    const late = lateness(grid, this.#jitterMs, this.#parts.random())
    this.#dueAt = slot + late
    this.#timer = this.#parts.clock.setTimer('probe', slot + late - now, () => this.#begin(slot))
  }

  #begin(slot: number): void {
    const { busy, key, tell, started } = this.#parts
    this.#lastSlot = slot
    if (this.#grid !== undefined) this.#plan(this.#grid)
    if (busy.has(key)) {
      tell.overrun([...this.#subscribers.keys()])
      return
    }
    const run = this.#run(slot)
    const ended = run
      .then((done) => done?.unfinished)
      .finally(() => {
        busy.delete(key)
      })
    busy.set(key, ended)
    started(run)
  }

  async #run(slot: number): Promise<ProbeRun | undefined> {
    const { checking, launch } = this.#parts
    const options = { signal: this.#controller.signal, warn: (text: string) => this.#warn(text) }
    this.#isRunning = true
    const run = await launch(probeOf(checking, this.#connectsLeft), options)
    // Before anybody is told: whoever subscribes from within a callback comes too late for this run.
    this.#isRunning = false
    if (run !== undefined) {
      this.#connectsLeft = connectsAfter(checking, this.#connectsLeft, run.result.verdict)
      const { result, at, durationMs, steps } = run
      this.#deliver(slot, { result, at, durationMs, steps })
    }
    return run
  }

  /** After `stop` there is nobody left to be told. */
  #deliver(slot: number, observation: Observation): void {
    const gridMs = this.#grid?.intervalMs ?? 0
    const due = [...this.#subscribers].filter(([, rhythm]) => isDue(rhythm, slot, gridMs))
    for (const [key, rhythm] of due) this.#subscribers.set(key, afterResult(rhythm, slot))
    for (const [key] of due) {
      // A callback may have changed the subscriptions.
      if (this.#subscribers.has(key)) this.#parts.tell.observation(key, observation)
    }
  }

  #warn(text: string): void {
    if (this.#warned.has(text)) return
    if (this.#warned.size >= mostWarnings) this.#warned.clear()
    this.#warned.add(text)
    for (const key of [...this.#subscribers.keys()]) this.#parts.tell.warning(key, text)
  }
}
