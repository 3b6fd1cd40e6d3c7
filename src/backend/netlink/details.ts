import { type ServiceKey, serviceKeyOf } from '../../model/service.ts'
import { destinationKeyOf } from '../../model/table.ts'
import type { ConnectionTimeouts } from '../../model/timeouts.ts'
import type { DestinationDetails, DetailedTable, ServiceDetails, TableInfo } from '../../table/details.ts'
import { TableError } from '../../table/operation.ts'
import { timeoutsErrorOf } from '../../table/validate.ts'
import { encodeDestinationDump, encodeQuestion, encodeServiceDump, encodeTimeouts } from './codec.ts'
import { decodeDestinationDetails, decodeInfo, decodeServiceDetails, decodeTimeouts } from './decode-details.ts'
import { ask, lookUpFamily, type Session } from './session.ts'
import type { Message } from './wire.ts'

/** Every service that can be named, with its destinations. */
export async function readDetails(session: Session): Promise<DetailedTable> {
  const family = await lookUpFamily(session)
  const messages = await ask(session, (seq) => encodeServiceDump({ family, seq }), 'read')
  const services = new Map<ServiceKey, ServiceDetails>()
  for (const service of messages.map(decodeServiceDetails)) {
    if (service === undefined) continue
    const { id } = service
    const dumped = await ask(session, (seq) => encodeDestinationDump(id, { family, seq }), 'read')
    const destinations = dumped
      .map((message) => decodeDestinationDetails(message, id.family))
      .filter((destination): destination is DestinationDetails => destination !== undefined)
    services.set(serviceKeyOf(id), {
      ...service,
      destinations: new Map(destinations.map((destination) => [destinationKeyOf(destination), destination])),
    })
  }
  return services
}

export async function readTimeouts(session: Session): Promise<ConnectionTimeouts> {
  return decodeTimeouts(await askOne(session, 'getConfig'))
}

export async function writeTimeouts(session: Session, timeouts: ConnectionTimeouts): Promise<void> {
  const fault = timeoutsErrorOf(timeouts)
  if (fault !== undefined) throw fault
  const family = await lookUpFamily(session)
  await ask(session, (seq) => encodeTimeouts(timeouts, { family, seq }), 'read')
}

export async function readInfo(session: Session): Promise<TableInfo> {
  return decodeInfo(await askOne(session, 'getInfo'))
}

async function askOne(session: Session, asked: 'getConfig' | 'getInfo'): Promise<Message> {
  const family = await lookUpFamily(session)
  const [message] = await ask(session, (seq) => encodeQuestion(asked, { family, seq }), 'read')
  if (message === undefined) throw new TableError('EBADMSG', "the kernel's answer makes no sense (EBADMSG)")
  return message
}
