import type { Event, Phase, Turn } from '../model/events.ts'
import { formatService, hostPort, serviceKeyOf } from '../model/service.ts'
import { type Destination, destinationKeyOf } from '../model/table.ts'
import type { ObservedTable } from '../table/operation.ts'
import type { Step } from '../table/plan.ts'

export interface Moment {
  readonly phase: Phase
  /** The table before the change. */
  readonly actual: ObservedTable
}

/** The line of Perl ldirectord (behaviour reference 4) for one change that the table took. */
export function eventOfStep(step: Step, { phase, actual }: Moment): Event {
  const { operation } = step
  const of = { virtual: formatService(operation.id), identity: serviceKeyOf(operation.id) }
  switch (operation.kind) {
    case 'add-service':
      return { kind: 'virtual-added', ...of }
    case 'edit-service':
      return { kind: 'virtual-changed', ...of }
    case 'delete-service':
      return { kind: 'virtual-purged', phase, ...of }
    case 'add-destination':
    case 'edit-destination':
      return presence(step, operation.destination, { ...of, turn: turnOf(step, actual) })
    case 'delete-destination':
      return removal(step, operation.destination, { of: { ...of, turn: turnOf(step, actual) }, phase })
  }
}

/** Whether the entry gets traffic now and got some before. */
function turnOf({ virtual, operation }: Step, actual: ObservedTable): Turn {
  if (!('destination' in operation)) return 'none'
  const entry = actual.services.get(virtual)?.destinations.get(destinationKeyOf(operation.destination))
  const served = (entry?.weight ?? 0) > 0
  const serves = operation.kind !== 'delete-destination' && operation.destination.weight > 0
  if (served === serves) return 'none'
  return serves ? 'in' : 'out'
}

interface Of {
  readonly virtual: string
  readonly identity: string
  readonly turn: Turn
}

function presence({ role, operation, cause, reason }: Step, destination: Destination, of: Of): Event {
  const entry = hostPort(destination.address, destination.port)
  if (role?.kind === 'fallback') return { kind: 'fallback-added', ...of, real: entry }
  const { weight } = destination
  if (role === undefined) return { kind: 'real-restored', ...of, real: entry, weight }
  const real = hostPort(destination.address, role.real.port)
  if (role.state === 'quiesced') {
    const readded = operation.kind === 'add-destination' && cause === 'repair'
    const mappedFrom = real === entry ? undefined : real
    return { kind: readded ? 'real-readded-quiescent' : 'real-quiesced', ...of, real: entry, mappedFrom, reason }
  }
  return { kind: operation.kind === 'add-destination' ? 'real-added' : 'real-restored', ...of, real, weight }
}

interface Where {
  readonly of: Of
  readonly phase: Phase
}

function removal({ role, reason }: Step, gone: Pick<Destination, 'address' | 'port'>, { of, phase }: Where): Event {
  const entry = hostPort(gone.address, gone.port)
  if (role === undefined) {
    return { kind: 'real-purged', phase: phase === 'stopping' ? 'stopping' : 'starting', ...of, real: entry }
  }
  if (role.kind === 'fallback') return { kind: 'fallback-deleted', ...of, real: entry, mappedFrom: undefined }
  const configured = hostPort(gone.address, role.real.port)
  return { kind: 'real-deleted', ...of, real: entry, mappedFrom: configured === entry ? undefined : configured, reason }
}
