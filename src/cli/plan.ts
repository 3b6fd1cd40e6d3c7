import { askDaemon } from '../api/client.ts'
import { type PlanReport, type StepReport, stepReport } from '../api/reload-routes.ts'
import { socketPathOf } from '../api/socket-path.ts'
import { type Config, type RealKey, realKeyOf } from '../config/model.ts'
import { fallbacksIn, foundIn } from '../control/director.ts'
import { instanceOf } from '../control/process/instance.ts'
import { initialHealth } from '../health/initial.ts'
import { type Health, type Observation, step } from '../health/machine.ts'
import { OperatorError } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { down, up } from '../model/verdict.ts'
import { desired } from '../table/desired.ts'
import { diff } from '../table/diff.ts'
import type { ObservedTable } from '../table/operation.ts'
import { emptyApplied, type Plan } from '../table/plan.ts'
import { askTable } from './ask-table.ts'
import { observeOnce } from './check.ts'
import { type CliContext, exitCode } from './context.ts'
import { loadForVerb } from './load.ts'
import { formatPlan } from './plan-format.ts'

export interface PlanOptions {
  readonly config: string | undefined
  readonly table: 'kernel' | 'memory'
  readonly assume: 'up' | 'down' | undefined
  readonly json: boolean
  readonly format: 'ipvsadm' | undefined
}

/**
 * `plan [config]`: what would change in the table now, with the reason per line: by a reload where a daemon runs on this
 * file, whose knowledge of the real servers is asked then; else by a start.
 */
export async function plan(context: CliContext, options: PlanOptions): Promise<number> {
  const loaded = await loadForVerb(context, options.config)
  if (loaded === undefined) return exitCode.configError
  const { config } = loaded
  const report = options.assume === undefined ? await askRunning(context, options.config) : undefined
  if (report?.file === config.file && report.steps !== null)
    return tellReload(context, { ...report, steps: report.steps }, options)
  const actual = await readTable(context, config, options.table)
  if (actual === undefined) return exitCode.noTable
  const found = await observe(context, config, options)
  if (context.signal.aborted) {
    context.err('Called off before all checks had ended: no plan.\n')
    return exitCode.interrupted
  }
  const result = planOf(config, actual, found)
  context.out(formatPlan(result.steps.map(stepReport), options))
  return result.steps.length === 0 ? exitCode.ok : exitCode.changes
}

/** Undefined: nobody runs, or has no socket for us. */
async function askRunning(context: CliContext, config: string | undefined): Promise<PlanReport | undefined> {
  try {
    const socket = socketPathOf(instanceOf(config))
    const { status, body } = await askDaemon({ clock: context.clock, socket }, { method: 'GET', path: '/v1/plan' })
    return status === 200 ? (body as PlanReport) : undefined
  } catch (error) {
    if (error instanceof OperatorError) return undefined
    throw error
  }
}

function tellReload(
  context: CliContext,
  { steps, refusal }: PlanReport & { readonly steps: readonly StepReport[] },
  options: PlanOptions,
): number {
  context.err('A daemon runs on this file: this is what a reload would change.\n')
  for (const reason of refusal ?? []) context.err(`It would be refused without --confirm: ${printable(reason, 500)}\n`)
  context.out(formatPlan(steps, options))
  return steps.length === 0 ? exitCode.ok : exitCode.changes
}

function readTable(context: CliContext, config: Config, kind: 'kernel' | 'memory'): Promise<ObservedTable | undefined> {
  const keys = new Set(config.virtuals.map((virtual) => virtual.key))
  return askTable(context, kind, (table, signal) => table.read(keys, signal))
}

async function observe(
  context: CliContext,
  config: Config,
  { assume, json }: PlanOptions,
): Promise<ReadonlyMap<RealKey, Observation>> {
  if (assume === undefined) return await observeOnce(context, config, !json)
  const result = assume === 'up' ? up('assumed up') : down('unreachable', 'assumed down')
  const observation = { result, at: context.clock.now(), durationMs: 0 }
  const probed = config.virtuals.flatMap((virtual) =>
    virtual.reals
      .filter(({ checking }) => checking.kind === 'probe' || checking.kind === 'combined')
      .map((real) => [realKeyOf(virtual, real), observation] as const),
  )
  return new Map(probed)
}

/** Pure: the plan of a start whose first round of checks has ended with these observations. */
export function planOf(config: Config, actual: ObservedTable, observations: ReadonlyMap<RealKey, Observation>): Plan {
  const { virtuals, globals } = config
  const health = new Map<RealKey, Health>(initialHealth({ virtuals, found: foundIn(actual), now: 0 }))
  for (const [key, observation] of observations) {
    const before = health.get(key)
    const thresholds = { failureCount: 1, successCount: 1 }
    if (before !== undefined) health.set(key, step(before, observation, thresholds).health)
  }
  const fallbackInForce = fallbacksIn(config, actual)
  const wanted = desired({ virtuals, health, maintenance: new Map(), fallbackInForce })
  const policy = { drift: globals.drift, readdQuiescent: globals.readdQuiescent }
  return diff({ actual, desired: wanted, applied: emptyApplied, mode: () => 'full', policy })
}
