import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import type { Phase, Tell } from '../model/events.ts'
import type { ServiceKey } from '../model/service.ts'
import { applyInOrder } from '../table/apply.ts'
import type { Desired } from '../table/desired.ts'
import { diff, needsSecondRead, nextApplied, samePlan } from '../table/diff.ts'
import { formatOperation } from '../table/notation.ts'
import { type ObservedTable, type Outcome, type TableBackend, TableError } from '../table/operation.ts'
import { type Applied, emptyApplied, type Plan } from '../table/plan.ts'
import { holdLastLive } from './hold.ts'
import { createSayOnce } from './say-once.ts'
import { eventOfStep, type Moment } from './table-events.ts'
import { createWaker } from './wake.ts'

/** What is wanted at this moment, computed anew for every pass. */
export interface View {
  readonly desired: Desired
  readonly policy: { readonly drift: 'report' | 'repair'; readonly readdQuiescent: boolean }
  /** Virtual services with a real server whose first verdict is still awaited. */
  readonly undecided: ReadonlySet<ServiceKey>
  readonly phase: Phase
}

export interface ReconcilerPorts {
  readonly backend: TableBackend
  readonly clock: Clock
  readonly tell: Tell
  readonly view: () => View
  /** After each pass that got through; for whoever shows the table. */
  readonly onSettled?: () => void
}

export interface Reconciler {
  /** One pass that begins after this call. `full`: make the named services equal to the file, hand edits included. */
  reconcile(full?: Iterable<ServiceKey>): Promise<void>
  readonly applied: Applied
  /** Counts virtual services that an instance before us made as ours: those that are not wanted will be removed. */
  inherit(services: Applied): void
  /** The managed services as the last pass that got through read them, before its changes; undefined before the first. */
  readonly observed: ObservedTable | undefined
  /** Passes that have ended, well or not: it grows every few seconds while the loop lives. */
  readonly passes: number
  /** Differences that somebody else made and that are left. */
  readonly drift: readonly string[]
  /** Ends after the running pass. */
  stop(): Promise<void>
}

/** A read or a batch that takes longer has failed. */
const answerWithinMs = 10_000
/** Between passes when nothing happens: how soon a table changed by others is seen. A retry waits no longer. */
const idleMs = 5_000
const firstRetryMs = 1_000
/** A change of state waits no longer than this for the pass before it to be rested from. */
const mostRestMs = 1_000

export function createReconciler(ports: ReconcilerPorts): Reconciler {
  const { backend, clock, tell } = ports
  let applied: Applied = emptyApplied
  let drift: readonly string[] = []
  let full = new Set<ServiceKey>()
  let failures = 0
  let observed: ObservedTable | undefined
  let passes = 0
  const refusals = createSayOnce()
  const drifts = createSayOnce()
  const unreadable = createSayOnce()

  const read = async (view: View): Promise<ObservedTable> => {
    const ours = new Set([...view.desired.table.keys(), ...applied.keys()])
    return await withDeadline({ clock, ms: answerWithinMs }, (signal) => backend.read(ours, signal))
  }
  const planFor = (actual: ObservedTable, view: View): Plan => {
    const mode = (key: ServiceKey): 'full' | 'running' => (full.has(key) ? 'full' : 'running')
    return diff({ actual, desired: view.desired, applied, mode, policy: view.policy })
  }
  /** A dump is no snapshot: a plan that takes something away is acted on when two reads agree. */
  const agreedPlan = async (view: View): Promise<{ actual: ObservedTable; plan: Plan } | undefined> => {
    let actual = await read(view)
    let plan = planFor(actual, view)
    for (let tries = 0; needsSecondRead(plan); tries += 1) {
      if (tries === 3) return undefined
      actual = await read(view)
      const again = planFor(actual, view)
      if (samePlan(plan, again)) return { actual, plan: again }
      plan = again
    }
    return { actual, plan }
  }
  const tellOutcomes = (plan: Plan, outcomes: readonly Outcome[], moment: Moment): void => {
    const texts: string[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const step = plan.steps[index]
      if (step === undefined) continue
      if (outcome.ok) tell(eventOfStep(step, moment))
      else if (!isOvertaken(outcome)) texts.push(`${formatOperation(step.operation)}\n${outcome.error.message}`)
    }
    for (const text of refusals.fresh(texts)) {
      const [operation = '', reason = ''] = text.split('\n')
      tell({ kind: 'table-refused', operation, text: reason })
    }
  }
  const retryLater = (): void => {
    waker.wakeIn(Math.min(idleMs, firstRetryMs * 2 ** failures))
    failures += 1
  }

  const pass = async (): Promise<void> => {
    const view = ports.view()
    const asked = full
    try {
      const agreed = await agreedPlan(view)
      if (unreadable.clear()) tell({ kind: 'table-readable' })
      if (agreed === undefined) return retryLater()
      const { plan, held } = holdLastLive(agreed.plan, agreed.actual, view)
      const outcomes = await withDeadline({ clock, ms: answerWithinMs }, (signal) =>
        applyInOrder(backend, plan, signal),
      )
      applied = nextApplied({ applied, actual: agreed.actual, desired: view.desired, plan, outcomes })
      drift = plan.drift.map((d) => d.text)
      observed = agreed.actual
      for (const text of drifts.fresh(drift)) tell({ kind: 'drift', text })
      tellOutcomes(plan, outcomes, { phase: view.phase, actual: agreed.actual })
      const failed = plan.steps.filter((_, index) => outcomes[index]?.ok !== true).map((step) => step.virtual)
      // What was asked for in full stays so until it was done; what came in meanwhile is for the next pass.
      if (full === asked) full = new Set([...held, ...failed].filter((key) => asked.has(key)))
      ports.onSettled?.()
      if (failed.length > 0) return retryLater()
      failures = 0
      waker.wakeIn(idleMs)
    } catch (error) {
      if (!(error instanceof TableError)) tell({ kind: 'fault', text: String((error as Error).stack ?? error) })
      for (const text of unreadable.fresh([messageOf(error)])) tell({ kind: 'table-unreadable', text })
      retryLater()
    } finally {
      passes += 1
    }
  }
  const waker = createWaker({
    clock,
    name: 'reconcile',
    pass,
    mostRestMs,
    onFault: (error) => tell({ kind: 'fault', text: messageOf(error) }),
  })

  return {
    reconcile: (services = []) => {
      full = new Set([...full, ...services])
      return waker.wake()
    },
    inherit: (services) => {
      applied = new Map([...applied, ...services])
    },
    get applied() {
      return applied
    },
    get observed() {
      return observed
    },
    get passes() {
      return passes
    },
    get drift() {
      return drift
    },
    stop: () => waker.stop(),
  }
}

/** Somebody was faster, or the step waited for one that failed: the next read tells the truth. */
function isOvertaken({ operation, error }: Extract<Outcome, { ok: false }>): boolean {
  if (error.code === 'ESRCH' || error.code === 'HELD') return true
  if (operation.kind.startsWith('add-')) return error.code === 'EEXIST'
  return operation.kind.endsWith('-destination') && error.code === 'ENOENT'
}
