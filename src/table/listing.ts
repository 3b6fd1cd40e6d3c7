import { formatService, hostPort, type ServiceId } from '../model/service.ts'
import type { DestinationKey } from '../model/table.ts'
import { hostMask } from './compare.ts'
import type { Tunnel } from './details.ts'
import { schedulerFlagNames } from './notation.ts'
import type { ObservedDestination, ObservedService } from './operation.ts'
import { byDestination, byService } from './sort.ts'

const methods: Readonly<Record<ObservedDestination['forwarding'], string>> = {
  gate: 'Route',
  masq: 'Masq',
  ipip: 'Tunnel',
  local: 'Local',
  bypass: 'Bypass',
  unknown: 'Unknown',
}

type Entry = ObservedDestination & { readonly tunnel?: Tunnel | undefined }
type Service = Omit<ObservedService, 'destinations'> & { readonly destinations: ReadonlyMap<DestinationKey, Entry> }

/** For people: the table as `ipvsadm -L -n` shows it, without its version line. Each line with its newline. */
export function formatListing(services: Iterable<Service>): string {
  const lines = [
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
  ]
  for (const service of [...services].sort((a, b) => byService(a.id, b.id))) {
    lines.push(serviceLine(service))
    for (const destination of [...service.destinations.values()].sort(byDestination)) {
      lines.push(destinationLine(destination))
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function serviceLine(service: Service): string {
  const { id, scheduler, persistence, onePacket, engine } = service
  let text = `${listedName(id)} ${scheduler}`
  const flags = schedulerFlagNames(service)
  if (flags.length > 0) text += ` (${flags.join(',')})`
  if (persistence !== undefined) {
    text += ` persistent ${persistence.timeoutSeconds}`
    if (persistence.netmask !== hostMask(id.family)) text += ` mask ${persistence.netmask}`
    if (engine !== '') text += ` pe ${engine}`
  }
  return onePacket ? `${text} ops` : text
}

/** `TCP  192.0.2.10:80`, `FWM  5`, `FWM  5 IPv6`: how a listing names a virtual service. */
export function listedName(id: ServiceId): string {
  return `${protocolName(id).padEnd(4)} ${formatService(id)}${markFamily(id)}`
}

function protocolName(id: ServiceId): string {
  return id.kind === 'fwmark' ? 'FWM' : id.protocol.toUpperCase()
}

/** Marks of the two families look alike but for this. */
function markFamily(id: ServiceId): string {
  return id.kind === 'fwmark' && id.family === 6 ? ' IPv6' : ''
}

function destinationLine(destination: Entry): string {
  const { address, port, weight, activeConnections, inactiveConnections } = destination
  const method = methods[destination.tunnel === undefined ? destination.forwarding : 'ipip']
  const numbers = [
    String(weight).padEnd(6),
    String(activeConnections).padEnd(10),
    String(inactiveConnections).padEnd(10),
  ]
  return `  -> ${hostPort(address, port).padEnd(28)} ${method.padEnd(7)} ${numbers.join(' ')}`
}
