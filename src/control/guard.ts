import { type Config, destinationOf, type Real, type RealKey, realKeyOf, type Virtual } from '../config/model.ts'
import type { Health } from '../health/machine.ts'
import { formatService, hostPort } from '../model/service.ts'
import { type DestinationKey, destinationKeyOf } from '../model/table.ts'
import { formatOperation } from '../table/notation.ts'

export interface GuardInput {
  readonly running: Config
  readonly next: Config
  readonly health: ReadonlyMap<RealKey, Health>
  /** Real servers that the operator holds out now; they serve nobody, so nobody would miss them. */
  readonly holds: ReadonlyMap<RealKey, unknown>
}

export interface Refusal {
  /** Why, one sentence each. */
  readonly reasons: readonly string[]
  /** What would go from the table if it were taken, in ipvsadm's notation. */
  readonly plan: readonly string[]
}

/**
 * Whether a new file looks like a mistake that clients would notice at once: it names no virtual service at all, or leaves
 * one that it still names with none of the real servers that serve it now. Undefined: it may come into force, or one of the
 * two files says `reloadguard = no`. A virtual service that is no longer named at all is an ordinary edit.
 */
export function refusalOf({ running, next, health, holds }: GuardInput): Refusal | undefined {
  if (!running.globals.reloadGuard || !next.globals.reloadGuard) return undefined
  const named = new Map(next.virtuals.map((virtual) => [virtual.key, virtual]))
  const isServing = (virtual: Virtual, real: Real): boolean => {
    const key = realKeyOf(virtual, real)
    return real.weight > 0 && health.get(key)?.state === 'up' && !holds.has(key)
  }
  const reasons: string[] = []
  const plan: string[] = []
  const count = running.virtuals.length
  if (named.size === 0 && count > 0)
    reasons.push(`no virtual service is named, and ${count} ${count === 1 ? 'is' : 'are'} served`)
  for (const virtual of running.virtuals) {
    const { id, key } = virtual
    const after = named.get(key)
    if (after === undefined) {
      plan.push(formatOperation({ kind: 'delete-service', id }))
      continue
    }
    const serving = destinationsOf(virtual, (real) => isServing(virtual, real))
    const kept = destinationsOf(after)
    const leaving = [...serving]
      .filter(([entry]) => !kept.has(entry))
      .map(([, { address, port }]) => ({ address, port }))
    for (const destination of leaving) plan.push(formatOperation({ kind: 'delete-destination', id, destination }))
    if (serving.size === 0 || leaving.length < serving.size) continue
    const names = leaving.map(({ address, port }) => hostPort(address, port)).join(', ')
    reasons.push(`${formatService(id)} would be left with none of its real servers that are up (${names})`)
  }
  return reasons.length === 0 ? undefined : { reasons, plan }
}

/**
 * By entry of the table: a real server whose check was changed is another one to the checks, and serves on all the same,
 * for its entry stands there with weight.
 */
function destinationsOf(
  virtual: Virtual,
  isMeant: (real: Real) => boolean = () => true,
): Map<DestinationKey, { readonly address: string; readonly port: number }> {
  const destinations = virtual.reals.filter(isMeant).flatMap((real) => destinationOf(real) ?? [])
  return new Map(destinations.map((destination) => [destinationKeyOf(destination), destination]))
}
