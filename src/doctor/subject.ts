import type { Config, Virtual } from '../config/model.ts'
import type { Span } from '../lib/diagnostics.ts'
import { bytesOfAddress, familyOf } from '../lib/ip-bytes.ts'
import { formatService } from '../model/service.ts'
import type { Forwarding } from '../model/table.ts'
import type { Addresses, Facts, Network } from './facts.ts'
import type { Remark } from './finding.ts'

/** What the rules look at. */
export interface Subject {
  readonly config: Config
  /** The file's text, for what a `Config` does not keep: where a password stands. */
  readonly text: string
  readonly facts: Facts
}

/** Pure. */
export type Rule = (subject: Subject) => readonly Remark[]

/** Where packets of a virtual service may go: a real server or the fallback. */
export interface Goal {
  readonly virtual: Virtual
  readonly at: Span
  readonly isFallback: boolean
  readonly address: string
  readonly forwarding: Forwarding
}

/** Those that have an address now, in file order. */
export function goalsOf({ virtuals }: Config): readonly Goal[] {
  return virtuals.flatMap((virtual) => {
    const reals = virtual.reals.flatMap(({ at, address, forwarding }) =>
      address === undefined ? [] : [{ virtual, at, isFallback: false, address, forwarding }],
    )
    const { fallback } = virtual
    if (fallback?.destination === undefined) return reals
    const { address, forwarding } = fallback.destination
    return [...reals, { virtual, at: fallback.at, isFallback: true, address, forwarding }]
  })
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** The kernel takes packets for this address for its own. */
export function isLocal({ local }: Addresses, address: string): boolean {
  return isLoopback(address) || local.some((network) => contains(network, address))
}

export function contains(network: Network, address: string): boolean {
  const family = familyOf(network.address)
  if (family !== familyOf(address)) return false
  const [a, b] = [bytesOfAddress(network.address, family), bytesOfAddress(address, family)]
  for (let bit = 0; bit < network.prefix; bit++) {
    const mask = 0x80 >> (bit % 8)
    if (((a[bit >> 3] ?? 0) & mask) !== ((b[bit >> 3] ?? 0) & mask)) return false
  }
  return true
}

export function nameOf(virtual: Virtual): string {
  return virtual.id.kind === 'fwmark' ? `firewall mark ${virtual.id.mark}` : formatService(virtual.id)
}

/** The first of each key, in their order. */
export function firstOfEach<T>(all: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Set<string>()
  return all.filter((item) => {
    const key = keyOf(item)
    return seen.has(key) ? false : seen.add(key)
  })
}

/** At most four by name. */
export function list(names: readonly string[]): string {
  const unique = [...new Set(names)]
  const shown = unique.slice(0, 4).join(', ')
  return unique.length > 4 ? `${shown} and ${unique.length - 4} more` : shown
}
