import { serviceKeyOf } from '../../model/service.ts'
import { destinationKeyOf } from '../../model/table.ts'
import { destinationDifferences, settingsDifferences } from '../../table/compare.ts'
import type { ObservedTable, Operation } from '../../table/operation.ts'

/** Whether the table is as the operation was to make it: what to go by when its answer was lost. */
export function holds(operation: Operation, actual: ObservedTable): boolean {
  const key = serviceKeyOf(operation.id)
  const service = actual.services.get(key)
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return service !== undefined && settingsDifferences(service, operation.settings, operation.id.family).length === 0
    case 'delete-service':
      return !actual.keys.has(key)
    case 'delete-destination':
      return service?.destinations.get(destinationKeyOf(operation.destination)) === undefined
    default: {
      const found = service?.destinations.get(destinationKeyOf(operation.destination))
      return found !== undefined && destinationDifferences(found, operation.destination).length === 0
    }
  }
}
