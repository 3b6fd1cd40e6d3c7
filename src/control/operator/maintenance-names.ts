import { bracketed, hostPort } from '../../model/service.ts'
import { type OrderKey, orderKeyOf } from './order.ts'
import type { Line } from './select-reals.ts'

/** The host names that an address has, as far as they are known. */
export type NamesOf = (address: string) => readonly string[]

/**
 * Every name a maintenance file of this real server may have (behaviour reference 5.1): its address, each host name of it
 * and each short host name, alone and with the configured port. The name that the configuration says counts as well as
 * those that a reverse lookup gives.
 */
export function maintenanceNames({ real }: Pick<Line, 'real'>, namesOf: NamesOf): readonly string[] {
  const { host, address, port } = real
  const hosts = [...(host === address ? [] : [host]), ...(address === undefined ? [] : namesOf(address))]
  const names = [address, ...hosts, ...hosts.map(shortNameOf)].filter((name) => name !== undefined)
  return [...new Set(names.flatMap((name) => [hostPort(name, port), bracketed(name)]))]
}

/** The part before the first dot, where it is one that Perl ldirectord takes. */
export function shortNameOf(name: string): string | undefined {
  return /^([a-z][a-z0-9-]+)\./.exec(name)?.[1]
}

/** File names, each with the real servers that it stands for. */
export type MaintenanceIndex = ReadonlyMap<string, ReadonlySet<OrderKey>>

export function indexNames(lines: Iterable<Line>, namesOf: NamesOf): MaintenanceIndex {
  const index = new Map<string, Set<OrderKey>>()
  for (const line of lines) {
    for (const name of maintenanceNames(line, namesOf)) {
      const keys = index.get(name) ?? new Set()
      index.set(name, keys.add(orderKeyOf(line)))
    }
  }
  return index
}
