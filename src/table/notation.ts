import { formatService, hostPort, type ServiceId } from '../model/service.ts'
import type { Destination, DestinationKey, ServiceSettings } from '../model/table.ts'
import { hostMask } from './compare.ts'
import type { Tunnel } from './details.ts'
import type { ObservedDestination, Operation } from './operation.ts'
import { byDestination, byService } from './sort.ts'

/** An entry, wanted or found. */
type Entry = Omit<ObservedDestination, 'activeConnections' | 'inactiveConnections'> & {
  readonly tunnel?: Tunnel | undefined
}
type Service = ServiceSettings & {
  readonly id: ServiceId
  readonly engine?: string
  readonly destinations: ReadonlyMap<DestinationKey, Entry>
}

/** What ipvsadm has no flag for stands as what it is nearest to. */
const methodFlags: Readonly<Record<Entry['forwarding'], string>> = {
  gate: '-g',
  masq: '-m',
  ipip: '-i',
  local: '-g',
  bypass: '-g',
  unknown: '-i',
}

/** The operation as arguments of ipvsadm, which are also a line that `ipvsadm -R` takes. */
export function formatOperation(operation: Operation): string {
  const service = serviceOption(operation.id)
  switch (operation.kind) {
    case 'add-service':
      return `-A ${service}${settingsOptions(operation.id, operation.settings)}`
    case 'edit-service':
      return `-E ${service}${settingsOptions(operation.id, operation.settings)}`
    case 'delete-service':
      return `-D ${service}`
    case 'add-destination':
      return `-a ${service}${destinationOptions(operation.destination)}${thresholdOptions(operation.destination)}`
    case 'edit-destination':
      return `-e ${service}${destinationOptions(operation.destination)}${thresholdOptions(operation.destination)}`
    case 'delete-destination':
      return `-d ${service} -r ${hostPort(operation.destination.address, operation.destination.port)}`
  }
}

/**
 * The table as `ipvsadm -S -n` prints it, each line with its newline. Thresholds are left out, as there. One thing
 * is otherwise: marks from 2147483648 are written as they are, where ipvsadm writes them negative and then does not
 * take them back.
 */
export function formatSaved(services: Iterable<Service>): string {
  const lines: string[] = []
  for (const service of [...services].sort((a, b) => byService(a.id, b.id))) {
    const option = serviceOption(service.id)
    lines.push(`-A ${option}${settingsOptions(service.id, service, service.engine)}`)
    for (const destination of [...service.destinations.values()].sort(byDestination)) {
      lines.push(`-a ${option}${destinationOptions(destination)}${tunnelOptions(destination)}`)
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** `-t 192.0.2.10:80`, `-u [2001:db8::1]:53`, `--sctp-service …`, `-f 5`, `-f 5 -6`. */
export function serviceOption(id: ServiceId): string {
  if (id.kind === 'fwmark') return id.family === 6 ? `-f ${id.mark} -6` : `-f ${id.mark}`
  const option = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }[id.protocol]
  return `${option} ${formatService(id)}`
}

function settingsOptions(id: ServiceId, settings: ServiceSettings, engine = ''): string {
  const { scheduler, persistence, onePacket } = settings
  let text = ` -s ${scheduler}`
  if (persistence !== undefined) {
    text += ` -p ${persistence.timeoutSeconds}`
    if (persistence.netmask !== '' && persistence.netmask !== hostMask(id.family)) text += ` -M ${persistence.netmask}`
  }
  if (engine !== '') text += ` --pe ${engine}`
  const flags = schedulerFlagNames(settings)
  if (flags.length > 0) text += ` -b ${flags.join(',')}`
  return onePacket ? `${text} -o` : text
}

function destinationOptions({ address, port, forwarding, weight }: Entry): string {
  return ` -r ${hostPort(address, port)} ${methodFlags[forwarding]} -w ${weight}`
}

function tunnelOptions({ forwarding, tunnel }: Entry): string {
  if (tunnel === undefined) return forwarding === 'ipip' ? ' --tun-type ipip' : ''
  const port = tunnel.type === 'gue' ? ` --tun-port ${tunnel.port}` : ''
  return ` --tun-type ${tunnel.type}${port} --tun-${tunnel.checksum}`
}

function thresholdOptions({ upper, lower }: Destination): string {
  return ` -x ${upper} -y ${lower}`
}

/** ipvsadm has names for the flags of two schedulers; the third has none in either. */
export function schedulerFlagNames({ scheduler, schedulerFlags }: ServiceSettings): string[] {
  const named = scheduler === 'sh' || scheduler === 'mh'
  const names = named ? [`${scheduler}-fallback`, `${scheduler}-port`, undefined] : ['flag-1', 'flag-2', 'flag-3']
  return names.filter((name, index) => name !== undefined && (schedulerFlags & (0x08 << index)) !== 0) as string[]
}
