import { type ServiceId, type ServiceKey, serviceKeyOf } from '../../model/service.ts'
import { type DestinationKey, destinationKeyOf } from '../../model/table.ts'
import type { ObservedDestination, ObservedService, ObservedTable } from '../../table/operation.ts'
import { encodeDestinationDump, encodeServiceDump } from './codec.ts'
import { decodeDestination, decodeService, decodeServiceId } from './decode.ts'
import { ask, lookUpFamily, type Session } from './session.ts'

/** Every service's key, and ours whole. */
export async function readTable(session: Session, ours: ReadonlySet<ServiceKey>): Promise<ObservedTable> {
  const family = await lookUpFamily(session)
  const keys = new Set<ServiceKey>()
  const services = new Map<ServiceKey, ObservedService>()
  for (const message of await ask(session, (seq) => encodeServiceDump({ family, seq }), 'read')) {
    const id = decodeServiceId(message)
    if (id === undefined) continue
    const key = serviceKeyOf(id)
    keys.add(key)
    const service = ours.has(key) ? decodeService(message) : undefined
    if (service !== undefined) services.set(key, { ...service, destinations: new Map() })
  }
  for (const [key, service] of services) {
    services.set(key, { ...service, destinations: await readDestinations(session, family, service.id) })
  }
  return { services, keys }
}

async function readDestinations(
  session: Session,
  family: number,
  id: ServiceId,
): Promise<ReadonlyMap<DestinationKey, ObservedDestination>> {
  const messages = await ask(session, (seq) => encodeDestinationDump(id, { family, seq }), 'read')
  const destinations = messages
    .map((message) => decodeDestination(message, id.family))
    .filter((destination) => destination !== undefined)
  return new Map(destinations.map((destination) => [destinationKeyOf(destination), destination]))
}
