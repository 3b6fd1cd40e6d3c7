import type { ServiceKey } from '../model/service.ts'
import { type Destination, type DestinationKey, destinationKeyOf, type VirtualService } from '../model/table.ts'
import type { Desired } from './desired.ts'
import { judgeService, type Verdicts } from './judge.ts'
import type { ObservedTable, Operation, Outcome } from './operation.ts'
import { orderSteps } from './order.ts'
import type { Applied, DiffInput, Plan, Step } from './plan.ts'

/** What is to be done so that the kernel's table becomes the desired one, and what is left although it differs. */
export function diff(input: DiffInput): Plan {
  const sheets: Verdicts[] = []
  for (const [key, wanted] of input.desired.table) {
    sheets.push(judgeService(input, key, wanted))
  }
  const steps = [...sheets.flatMap((sheet) => sheet.steps), ...departures(input)]
  const standing = [...input.desired.table.keys()].filter((_, index) => sheets[index]?.standing)
  return { steps: orderSteps(steps), drift: sheets.flatMap((sheet) => sheet.drift), standing: new Set(standing) }
}

/** Services that are ours and left the file. One that is neither wanted nor ours is never touched. */
function departures({ actual, desired, applied }: DiffInput): Step[] {
  return [...applied]
    .filter(([key]) => !desired.table.has(key) && actual.keys.has(key))
    .map(([key, { id }]) => ({
      operation: { kind: 'delete-service', id },
      virtual: key,
      cause: 'gone',
      reason: 'no longer in the configuration',
      unexpected: false,
    }))
}

/** Dumps are no snapshots: a plan that takes something away, or adds what ought to be there, wants a second look. */
export function needsSecondRead(plan: Plan): boolean {
  return plan.steps.some((step) => step.unexpected || step.operation.kind.startsWith('delete-'))
}

/** Whether two reads came to the same operations. */
export function samePlan(one: Plan, other: Plan): boolean {
  const operations = ({ steps }: Plan): Operation[] => steps.map((step) => step.operation)
  return JSON.stringify(operations(one)) === JSON.stringify(operations(other))
}

export interface Pass {
  readonly applied: Applied
  readonly actual: ObservedTable
  readonly desired: Desired
  readonly plan: Plan
  /** In the order of `plan.steps`. */
  readonly outcomes: readonly Outcome[]
}

/**
 * What holds after a pass. A refused write is forgotten, so that the next pass tries again; a refused removal stays
 * ours, so that the next pass removes it. A difference that was left (drift) counts as written: we touch it again
 * when the desired state changes.
 */
export function nextApplied(pass: Pass): Applied {
  const { applied, actual, desired } = pass
  const fates = fatesOf(pass)
  const next = new Map<ServiceKey, VirtualService>()
  for (const [key, wanted] of desired.table) {
    const fate = fates.get(key)
    const found = actual.services.get(key)
    if (fate === 'failed' && found === undefined) continue
    const destinations = new Map([...confirmed(wanted, key, fates), ...remaining(pass, key, fates)])
    const { scheduler, schedulerFlags, persistence, onePacket } = (fate === 'failed' ? found : undefined) ?? wanted
    next.set(key, { id: wanted.id, scheduler, schedulerFlags, persistence, onePacket, destinations })
  }
  for (const [key, service] of applied) {
    const gone = fates.get(key) === 'done' || !actual.keys.has(key)
    if (!desired.table.has(key) && !gone) next.set(key, service)
  }
  return next
}

type Fates = ReadonlyMap<string, 'done' | 'failed'>

/** By service key, and by service key and destination key, what became of the step. */
function fatesOf({ plan, outcomes }: Pass): Fates {
  const fates = new Map<string, 'done' | 'failed'>()
  for (const [index, { operation, virtual }] of plan.steps.entries()) {
    const outcome = outcomes[index]
    const isRemoval = operation.kind.startsWith('delete-')
    const isGone = isRemoval && outcome?.ok === false && ['ENOENT', 'ESRCH'].includes(outcome.error.code)
    const at = 'destination' in operation ? ` ${destinationKeyOf(operation.destination)}` : ''
    fates.set(`${virtual}${at}`, outcome?.ok || isGone ? 'done' : 'failed')
  }
  return fates
}

function confirmed(wanted: VirtualService, key: ServiceKey, fates: Fates): [DestinationKey, Destination][] {
  return [...wanted.destinations].filter(([at]) => fates.get(`${key} ${at}`) !== 'failed')
}

/** Entries that are not wanted and still there: those that are ours, and those that we failed to remove. */
function remaining({ applied, actual, desired }: Pass, key: ServiceKey, fates: Fates): [DestinationKey, Destination][] {
  const left: [DestinationKey, Destination][] = []
  for (const [at, { address, port, weight, upper, lower }] of actual.services.get(key)?.destinations ?? []) {
    const fate = fates.get(`${key} ${at}`)
    if (desired.table.get(key)?.destinations.has(at) || fate === 'done') continue
    const before = applied.get(key)?.destinations.get(at)
    if (before !== undefined) left.push([at, before])
    else if (fate === 'failed') left.push([at, { address, port, weight, upper, lower, forwarding: 'gate' }])
  }
  return left
}
