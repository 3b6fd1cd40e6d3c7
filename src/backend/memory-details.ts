import { type ServiceId, type ServiceKey, serviceKeyOf } from '../model/service.ts'
import { type Destination, type DestinationKey, destinationKeyOf } from '../model/table.ts'
import type { ConnectionTimeouts } from '../model/timeouts.ts'
import type {
  Connection,
  Counted,
  DestinationDetails,
  ServiceDetails,
  TableDetails,
  Traffic,
} from '../table/details.ts'
import { type ObservedService, TableError } from '../table/operation.ts'
import { timeoutsErrorOf } from '../table/validate.ts'

/** What a kernel would have counted, put in by hand. */
export interface MemoryTraffic {
  /** Of the service itself when no destination is named. */
  count(id: ServiceId, destination: Pick<Destination, 'address' | 'port'> | undefined, counted: Partial<Counts>): void
  connect(connection: Connection): void
}

export interface Counts {
  readonly totals: Partial<Traffic>
  readonly rates: Partial<Traffic>
  readonly persistentConnections: number
}

const none: Traffic = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 }

/** The details of a table in memory: nothing passes through it, so all is nought that was not put in. */
export function createMemoryDetails(table: ReadonlyMap<ServiceKey, ObservedService>): TableDetails & MemoryTraffic {
  const counts = new Map<string, Partial<Counts>>()
  const connections: Connection[] = []
  let timeouts: ConnectionTimeouts = { tcp: 900, tcpFin: 120, udp: 300 }

  const countedOf = (service: ServiceKey, destination = ''): Counted => {
    const { totals = {}, rates = {} } = counts.get(`${service} ${destination}`) ?? {}
    return { totals: { ...none, ...totals }, rates: { ...none, ...rates } }
  }
  const detailed = (key: ServiceKey, service: ObservedService): ServiceDetails => {
    const destinations = new Map<DestinationKey, DestinationDetails>()
    for (const [at, destination] of service.destinations) {
      const persistentConnections = counts.get(`${key} ${at}`)?.persistentConnections ?? 0
      destinations.set(at, { ...destination, ...countedOf(key, at), persistentConnections, tunnel: undefined })
    }
    return { ...service, ...countedOf(key), destinations }
  }
  return {
    details: async (signal) => {
      checkSignal(signal)
      return new Map([...table].map(([key, service]) => [key, detailed(key, service)]))
    },
    timeouts: async (signal) => {
      checkSignal(signal)
      return timeouts
    },
    setTimeouts: async (wanted, signal) => {
      checkSignal(signal)
      const fault = timeoutsErrorOf(wanted)
      if (fault !== undefined) throw fault
      const { tcp, tcpFin, udp } = timeouts
      timeouts = { tcp: wanted.tcp || tcp, tcpFin: wanted.tcpFin || tcpFin, udp: wanted.udp || udp }
    },
    connections: async ({ limit, accepts = () => true }, signal) => {
      checkSignal(signal)
      const accepted = connections.filter(accepts)
      return { connections: accepted.slice(0, limit), isCut: accepted.length > limit }
    },
    info: async (signal) => {
      checkSignal(signal)
      return { version: '1.2.1', connectionTableSize: 4096 }
    },
    count: (id, destination, counted) => {
      const at = destination === undefined ? '' : destinationKeyOf(destination)
      counts.set(`${serviceKeyOf(id)} ${at}`, counted)
    },
    connect: (connection) => void connections.push(connection),
  }
}

/** Rejects as the kernel's way does when it is called off before it was asked. */
export function checkSignal(signal: AbortSignal): void {
  if (signal.aborted) throw new TableError('ECANCELED', 'the table was not asked: cancelled', { cause: signal.reason })
}
