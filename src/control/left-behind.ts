import { type Config, destinationOf } from '../config/model.ts'
import type { ServiceKey } from '../model/service.ts'
import { type DestinationKey, destinationKeyOf, type Table } from '../model/table.ts'
import type { ObservedTable } from '../table/operation.ts'

/** How a virtual service of ours may look in the table. */
export interface Mark {
  readonly scheduler: string
  /** Every entry that its section can make, fallback included. */
  readonly destinations: readonly string[]
}

/** The virtual services of an instance, for the start that follows it. */
export type Marks = ReadonlyMap<ServiceKey, Mark>

export function marksOf({ virtuals }: Pick<Config, 'virtuals'>): Marks {
  return new Map(
    virtuals.map(({ key, settings, reals, fallback }) => {
      const destinations = [...reals.flatMap((real) => destinationOf(real) ?? []), fallback?.destination]
      const keys = destinations.flatMap((each) => (each === undefined ? [] : destinationKeyOf(each)))
      return [key, { scheduler: settings.scheduler, destinations: [...new Set(keys)] }]
    }),
  )
}

/**
 * What the instance before left in the table and its file does not name any more. Ours only while it looks as we left it: the
 * same scheduler, and no entry that we never made. Anything else has found another owner since. While a name of the file has
 * no address nothing is: it may be that of a virtual service.
 */
export function leftBehind(
  marks: Marks,
  { virtuals, unresolved }: Pick<Config, 'virtuals' | 'unresolved'>,
  actual: ObservedTable,
): Table {
  if (unresolved.length > 0) return new Map()
  const named = new Set(virtuals.map(({ key }) => key))
  const left = [...marks].flatMap(([key, mark]) => {
    const found = actual.services.get(key)
    if (named.has(key) || found === undefined || found.scheduler !== mark.scheduler) return []
    const ours: ReadonlySet<string> = new Set(mark.destinations)
    if (![...found.destinations.keys()].every((destination: DestinationKey) => ours.has(destination))) return []
    const { id, scheduler, schedulerFlags, persistence, onePacket } = found
    return [[key, { id, scheduler, schedulerFlags, persistence, onePacket, destinations: new Map() }] as const]
  })
  return new Map(left)
}
