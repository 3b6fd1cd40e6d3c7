import { bytesOfAddress, familyOf } from '../lib/ip-bytes.ts'
import { type ServiceKey, serviceKeyOf } from '../model/service.ts'
import { type Destination, destinationKeyOf, type ServiceSettings } from '../model/table.ts'
import { hostMask } from '../table/compare.ts'
import type { IpvsTable } from '../table/details.ts'
import type { ObservedDestination, ObservedService, Operation, Outcome, TableError } from '../table/operation.ts'
import { faultErrorOf, refusalOf } from '../table/refusal.ts'
import { checkSignal, createMemoryDetails, type MemoryTraffic } from './memory-details.ts'

/** What Linux 6.1 has as modules, and `none`. */
const kernelSchedulers = 'none rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh'.split(' ')

export interface MemoryTable extends IpvsTable, MemoryTraffic {
  /** Everything in it, ours or not. */
  services(): ReadonlyMap<ServiceKey, ObservedService>
  /** Puts a service in as it is, also what an operation cannot say (an engine, gue). */
  seed(service: ObservedService): void
}

/** An IPVS table without a kernel: for the demo and for tests. It refuses what the kernel refuses, with its codes. */
export function createMemoryTable(schedulers: readonly string[] = kernelSchedulers): MemoryTable {
  const table = new Map<ServiceKey, ObservedService>()
  const known = new Set(schedulers)
  const perform = (operation: Operation): Outcome => {
    const error = faultErrorOf(operation) ?? refuse(operation, { table, known })
    if (error !== undefined) return { operation, ok: false, error }
    change(table, operation)
    return { operation, ok: true }
  }
  return {
    ...createMemoryDetails(table),
    read: async (ours, signal) => {
      checkSignal(signal)
      return { services: new Map([...table].filter(([key]) => ours.has(key))), keys: new Set(table.keys()) }
    },
    apply: async (plan, signal) => {
      checkSignal(signal)
      return plan.map(perform)
    },
    close: async () => undefined,
    services: () => new Map(table),
    seed: (service) => {
      table.set(serviceKeyOf(service.id), service)
    },
  }
}

interface Context {
  readonly table: ReadonlyMap<ServiceKey, ObservedService>
  readonly known: ReadonlySet<string>
}

function refuse(operation: Operation, { table, known }: Context): TableError | undefined {
  const service = table.get(serviceKeyOf(operation.id))
  const code = codeFor(operation, service, known)
  return code === undefined ? undefined : refusalOf(operation, code)
}

/** The kernel's checks in the kernel's order. */
function codeFor(
  operation: Operation,
  service: ObservedService | undefined,
  known: ReadonlySet<string>,
): string | undefined {
  if (operation.kind === 'add-service') {
    if (service !== undefined) return 'EEXIST'
    return known.has(operation.settings.scheduler) ? undefined : 'ENOENT'
  }
  if (service === undefined) return 'ESRCH'
  if (operation.kind === 'edit-service') return known.has(operation.settings.scheduler) ? undefined : 'ENOENT'
  if (operation.kind === 'delete-service') return undefined
  const found = service.destinations.has(destinationKeyOf(operation.destination))
  if (operation.kind !== 'add-destination') return found ? undefined : 'ENOENT'
  if (found) return 'EEXIST'
  return isHost(operation.destination.address) ? undefined : 'EINVAL'
}

/** Whether an address can be one host's, as far as that is to be seen without a routing table. */
function isHost(address: string): boolean {
  const family = familyOf(address)
  const bytes = bytesOfAddress(address, family)
  const [first = 0, second = 0] = bytes
  if (bytes.every((byte) => byte === 0)) return false
  if (family === 4) return first < 224 && first !== 0
  return first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80)
}

function change(table: Map<ServiceKey, ObservedService>, operation: Operation): void {
  const key = serviceKeyOf(operation.id)
  const service = table.get(key)
  switch (operation.kind) {
    case 'add-service':
      table.set(key, { id: operation.id, ...normal(operation), engine: '', destinations: new Map() })
      return
    case 'delete-service':
      table.delete(key)
      return
    default:
      if (service !== undefined) table.set(key, changed(service, operation))
  }
}

type Within = Exclude<Operation, { kind: 'add-service' | 'delete-service' }>

function changed(service: ObservedService, operation: Within): ObservedService {
  if (operation.kind === 'edit-service') return { ...service, ...normal(operation) }
  const destinations = new Map(service.destinations)
  const at = destinationKeyOf(operation.destination)
  if (operation.kind === 'delete-destination') destinations.delete(at)
  else destinations.set(at, observed(operation.destination, destinations.get(at)))
  return { ...service, destinations }
}

function observed(destination: Destination, before: ObservedDestination | undefined): ObservedDestination {
  const { activeConnections = 0, inactiveConnections = 0 } = before ?? {}
  return { ...destination, activeConnections, inactiveConnections }
}

/** As the kernel reports it back: an empty mask is the host's. */
function normal({ id, settings }: Extract<Operation, { settings: ServiceSettings }>): ServiceSettings {
  const { scheduler, schedulerFlags, onePacket, persistence } = settings
  if (persistence === undefined) return { scheduler, schedulerFlags, onePacket, persistence }
  const netmask = persistence.netmask === '' ? hostMask(id.family) : persistence.netmask
  return {
    scheduler,
    schedulerFlags,
    onePacket,
    persistence: { timeoutSeconds: persistence.timeoutSeconds, netmask },
  }
}
