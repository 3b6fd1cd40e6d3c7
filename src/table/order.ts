import type { ServiceKey } from '../model/service.ts'
import type { Step } from './plan.ts'

/**
 * The order of sending: what brings a live member comes before what takes one away, so a pool that has one before
 * and after the plan has one at every moment between. Within a group by config order, then by address.
 */
export function orderSteps(steps: readonly Step[]): Step[] {
  const virtuals = new Map<ServiceKey, number>()
  for (const { virtual } of steps) if (!virtuals.has(virtual)) virtuals.set(virtual, virtuals.size)
  const place = (step: Step): number => virtuals.get(step.virtual) ?? 0
  return [...steps].sort((a, b) => rank(a) - rank(b) || place(a) - place(b) || compareText(addressOf(a), addressOf(b)))
}

function rank({ operation }: Step): number {
  switch (operation.kind) {
    case 'add-service':
      return 0
    case 'add-destination':
      return 1
    case 'edit-service':
      return 2
    case 'edit-destination':
      return operation.destination.weight > 0 ? 3 : 4
    case 'delete-destination':
      return 5
    case 'delete-service':
      return 6
  }
}

/** Sorts as text what ought to sort as numbers: each run of digits is padded. */
function addressOf({ operation }: Step): string {
  if (!('destination' in operation)) return ''
  const { address, port } = operation.destination
  return `${address} ${port}`.replace(/\d+/g, (digits) => digits.padStart(5, '0'))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
