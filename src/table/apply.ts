import type { ServiceKey } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import { type Outcome, type TableBackend, TableError } from './operation.ts'
import type { Plan, Step } from './plan.ts'

/**
 * Sends a plan: first what puts in and changes, then, in a second batch, what takes away. A service's removals are
 * held back (code `HELD`) when its pool would be left with nothing: every entry that was to bring weight was refused,
 * and none with weight stands that the plan does not touch. The outcomes are in the order of `plan.steps`.
 */
export async function applyInOrder(
  backend: TableBackend,
  plan: Plan,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Step, Outcome>()
  const send = async (steps: readonly Step[]): Promise<void> => {
    if (steps.length === 0) return
    const answers = await backend.apply(
      steps.map((step) => step.operation),
      signal,
    )
    for (const [index, step] of steps.entries()) {
      const answer = answers[index]
      if (answer !== undefined) outcomes.set(step, answer)
    }
  }
  await send(plan.steps.filter((step) => !isRemoval(step)))
  const stuck = servicesWithoutSuccessor(plan, outcomes)
  await send(plan.steps.filter((step) => isRemoval(step) && !isHeld(step, stuck)))
  return plan.steps.map((step) => outcomes.get(step) ?? heldBack(step))
}

function isRemoval(step: Step): boolean {
  return step.operation.kind.startsWith('delete-')
}

function isHeld({ operation, virtual }: Step, stuck: ReadonlySet<ServiceKey>): boolean {
  return operation.kind === 'delete-destination' && stuck.has(virtual)
}

function servicesWithoutSuccessor(plan: Plan, outcomes: ReadonlyMap<Step, Outcome>): ReadonlySet<ServiceKey> {
  const refused = new Set<ServiceKey>()
  const served = new Set<ServiceKey>(plan.standing)
  for (const [step, outcome] of outcomes) {
    const { operation } = step
    if (!('destination' in operation) || !('weight' in operation.destination)) continue
    if (operation.destination.weight === 0) continue
    if (outcome.ok) served.add(step.virtual)
    else refused.add(step.virtual)
  }
  return new Set([...refused].filter((key) => !served.has(key)))
}

function heldBack({ operation }: Step): Outcome {
  const what = 'destination' in operation ? destinationKeyOf(operation.destination) : 'the virtual service'
  const text = `${what} stays: what was to take its place was refused`
  return { operation, ok: false, error: new TableError('HELD', text) }
}
