import { type Config, destinationOf, type Virtual } from '../config/model.ts'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { messageOf } from '../lib/errors.ts'
import type { Tell } from '../model/events.ts'
import { formatService, hostPort } from '../model/service.ts'
import { destinationKeyOf } from '../model/table.ts'
import { formatOperation } from '../table/notation.ts'
import type { Operation, TableBackend } from '../table/operation.ts'
import type { Applied } from '../table/plan.ts'

export interface StopTable {
  readonly backend: TableBackend
  readonly clock: Clock
  readonly tell: Tell
  readonly config: Config
  readonly applied: Applied
}

const withinMs = 5_000

/** Removes the virtual services that are ours, save those with cleanstop=no (behaviour reference 4.9). Never rejects. */
export async function stopTable({ backend, clock, tell, config, applied }: StopTable): Promise<void> {
  const leaving = config.virtuals.filter((virtual) => virtual.cleanstop && applied.has(virtual.key))
  if (leaving.length === 0) return
  const plan: Operation[] = leaving.map((virtual) => ({ kind: 'delete-service', id: virtual.id }))
  try {
    const outcomes = await withDeadline({ clock, ms: withinMs }, (signal) => backend.apply(plan, signal))
    for (const [index, outcome] of outcomes.entries()) {
      const virtual = leaving[index]
      if (virtual === undefined) continue
      const of = { virtual: formatService(virtual.id), identity: virtual.key, phase: 'stopping' as const }
      if (!outcome.ok) {
        if (outcome.error.code === 'ESRCH') continue
        tell({ kind: 'table-refused', operation: formatOperation(outcome.operation), text: outcome.error.message })
        continue
      }
      for (const gone of upReals(virtual, applied)) tell({ kind: 'real-purged', ...of, real: gone, turn: 'out' })
      tell({ kind: 'virtual-purged', ...of })
    }
  } catch (error) {
    tell({ kind: 'table-unreadable', text: messageOf(error) })
  }
}

/** Quiesced reals and the fallback go with their virtual service without a word. */
function upReals(virtual: Virtual, applied: Applied): string[] {
  const reals = new Set(virtual.reals.flatMap((real) => destinationOf(real) ?? []).map(destinationKeyOf))
  const destinations = [...(applied.get(virtual.key)?.destinations ?? [])]
  return destinations
    .filter(([key, { weight }]) => weight > 0 && reals.has(key))
    .map(([, { address, port }]) => hostPort(address, port))
}
