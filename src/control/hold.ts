import type { ServiceKey } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import type { Desired } from '../table/desired.ts'
import type { ObservedTable } from '../table/operation.ts'
import type { Plan, Step } from '../table/plan.ts'

/**
 * A pool that was serving is never emptied while its successors are still being checked: after a config change the
 * reals that left stay until a new one has answered, or all are known to be down and the fallback stands.
 * Returns the plan without those steps, and the services for which something was held back.
 */
export function holdLastLive(
  plan: Plan,
  actual: ObservedTable,
  now: { readonly desired: Desired; readonly undecided: ReadonlySet<ServiceKey> },
): { readonly plan: Plan; readonly held: ReadonlySet<ServiceKey> } {
  const held = new Set<ServiceKey>()
  const isHeld = (step: Step): boolean => {
    const { virtual, operation } = step
    if (operation.kind !== 'delete-destination' || !now.undecided.has(virtual)) return false
    if (isLive(now.desired, virtual)) return false
    const entry = actual.services.get(virtual)?.destinations.get(destinationKeyOf(operation.destination))
    return entry !== undefined && entry.weight > 0
  }
  const steps = plan.steps.filter((step) => {
    if (!isHeld(step)) return true
    held.add(step.virtual)
    return false
  })
  return { plan: { ...plan, steps }, held }
}

function isLive(desired: Desired, virtual: ServiceKey): boolean {
  const destinations = desired.table.get(virtual)?.destinations.values() ?? []
  return [...destinations].some((destination) => destination.weight > 0)
}
