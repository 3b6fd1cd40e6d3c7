import { formatService, hostPort, type ServiceId } from '../model/service.ts'
import { hostMask } from './compare.ts'
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

/** For people: the table as `ipvsadm -L -n` shows it, without its version line. Each line with its newline. */
export function formatListing(services: Iterable<ObservedService>): string {
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

function serviceLine(service: ObservedService): string {
  const { id, scheduler, persistence, onePacket, engine } = service
  let text = `${protocolName(id).padEnd(4)} ${formatService(id)}${markFamily(id)} ${scheduler}`
  const flags = schedulerFlagNames(service)
  if (flags.length > 0) text += ` (${flags.join(',')})`
  if (persistence !== undefined) {
    text += ` persistent ${persistence.timeoutSeconds}`
    if (persistence.netmask !== hostMask(id.family)) text += ` mask ${persistence.netmask}`
    if (engine !== '') text += ` pe ${engine}`
  }
  return onePacket ? `${text} ops` : text
}

function protocolName(id: ServiceId): string {
  return id.kind === 'fwmark' ? 'FWM' : id.protocol.toUpperCase()
}

/** Marks of the two families look alike but for this. */
function markFamily(id: ServiceId): string {
  return id.kind === 'fwmark' && id.family === 6 ? ' IPv6' : ''
}

function destinationLine(destination: ObservedDestination): string {
  const { address, port, forwarding, weight, activeConnections, inactiveConnections } = destination
  const numbers = [
    String(weight).padEnd(6),
    String(activeConnections).padEnd(10),
    String(inactiveConnections).padEnd(10),
  ]
  return `  -> ${hostPort(address, port).padEnd(28)} ${methods[forwarding].padEnd(7)} ${numbers.join(' ')}`
}
