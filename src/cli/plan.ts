import { type Config, type RealKey, realKeyOf } from '../config/model.ts'
import { fallbacksIn, foundIn } from '../control/director.ts'
import { initialHealth } from '../health/initial.ts'
import { type Health, type Observation, step } from '../health/machine.ts'
import { withDeadline } from '../lib/deadline.ts'
import { formatService } from '../model/service.ts'
import { down, up } from '../model/verdict.ts'
import { desired } from '../table/desired.ts'
import { diff } from '../table/diff.ts'
import { formatOperation } from '../table/notation.ts'
import { type ObservedTable, TableError } from '../table/operation.ts'
import { emptyApplied, type Plan } from '../table/plan.ts'
import { observeOnce } from './check.ts'
import { formatColumns } from './columns.ts'
import { type CliContext, exitCode } from './context.ts'
import { loadForVerb } from './load.ts'

export interface PlanOptions {
  readonly config: string | undefined
  readonly table: 'kernel' | 'memory'
  readonly assume: 'up' | 'down' | undefined
  readonly json: boolean
  readonly format: 'ipvsadm' | undefined
}

/** `plan [config]`: what a start would change in the table now, with the reason per line. */
export async function plan(context: CliContext, options: PlanOptions): Promise<number> {
  const loaded = await loadForVerb(context, options.config)
  if (loaded === undefined) return exitCode.configError
  const { config } = loaded
  const actual = await readTable(context, config, options.table)
  if (actual === undefined) return exitCode.noTable
  const found = await observe(context, config, options)
  if (context.signal.aborted) {
    context.err('Called off before all checks had ended: no plan.\n')
    return exitCode.interrupted
  }
  const result = planOf(config, actual, found)
  context.out(formatPlan(result, options))
  return result.steps.length === 0 ? exitCode.ok : exitCode.changes
}

async function readTable(
  context: CliContext,
  config: Config,
  kind: 'kernel' | 'memory',
): Promise<ObservedTable | undefined> {
  const keys = new Set(config.virtuals.map((virtual) => virtual.key))
  try {
    const backend = await context.openTable(kind)
    try {
      return await withDeadline({ clock: context.clock, ms: 10_000 }, (signal) => backend.read(keys, signal))
    } finally {
      await backend.close()
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    context.err(`The IPVS table cannot be read: ${error.message}\n`)
    return undefined
  }
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

function formatPlan(result: Plan, { json, format }: PlanOptions): string {
  if (json) {
    const steps = result.steps.map((s) => ({
      virtual: formatService(s.operation.id),
      operation: s.operation.kind,
      ipvsadm: formatOperation(s.operation),
      reason: s.reason,
    }))
    return `${JSON.stringify({ steps }, null, 2)}\n`
  }
  if (format === 'ipvsadm') return result.steps.map((s) => `${formatOperation(s.operation)}\n`).join('')
  if (result.steps.length === 0) return 'Nothing to change.\n'
  return formatColumns(result.steps.map((s) => [formatOperation(s.operation), `# ${s.reason}`]))
}
