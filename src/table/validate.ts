import { isIPv4 } from 'node:net'
import { familyOf } from '../lib/ip-bytes.ts'
import type { ServiceId } from '../model/service.ts'
import type { Destination, ServiceSettings } from '../model/table.ts'
import { type ConnectionTimeouts, longestTimeoutSeconds } from '../model/timeouts.ts'
import { type Operation, TableError } from './operation.ts'

/** Why an operation must not be sent. The kernel takes much of this without a word and then does not do it. */
export interface Fault {
  readonly code: 'EINVAL' | 'ERANGE'
  readonly sentence: string
}

/** ipvsadm's own bound for persistence: 31 days. The kernel's counter overflows not far above. */
export const maxPersistenceSeconds = 31 * 24 * 3600
const maxSchedulerName = 15
const maxWeight = 0x7fffffff
const maxU32 = 0xffffffff

export function faultOf(operation: Operation): Fault | undefined {
  const ofId = idFault(operation.id)
  if (ofId !== undefined) return { code: 'EINVAL', sentence: ofId }
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return asFault(settingsFault(operation.id, operation.settings))
    case 'add-destination':
    case 'edit-destination':
      return rangeFault(operation.destination) ?? asFault(destinationFault(operation.id, operation.destination))
    default:
      return undefined
  }
}

const asFault = (sentence: string | undefined): Fault | undefined =>
  sentence === undefined ? undefined : { code: 'EINVAL', sentence }

/** Why time-outs cannot be set, as an error. */
export function timeoutsErrorOf({ tcp, tcpFin, udp }: ConnectionTimeouts): TableError | undefined {
  if ([tcp, tcpFin, udp].every((seconds) => within(seconds, 0, longestTimeoutSeconds))) return undefined
  return new TableError('EINVAL', `a time-out is from 0 to ${longestTimeoutSeconds} seconds (EINVAL)`)
}

function idFault(id: ServiceId): string | undefined {
  if (id.kind === 'fwmark') return within(id.mark, 1, maxU32) ? undefined : 'a firewall mark is from 1 to 4294967295'
  return within(id.port, 0, 65535) ? undefined : 'a port is from 0 to 65535'
}

function settingsFault(id: ServiceId, settings: ServiceSettings): string | undefined {
  const { scheduler, persistence, onePacket } = settings
  if (!/^[a-z0-9_-]+$/.test(scheduler) || scheduler.length > maxSchedulerName) {
    return `"${scheduler}" cannot be the name of a scheduler`
  }
  if (id.kind === 'address' && id.port === 0 && persistence === undefined) return 'port 0 wants a persistent service'
  if (onePacket && id.kind === 'address' && id.protocol !== 'udp') return 'one-packet scheduling is for UDP only'
  if (persistence === undefined) return undefined
  if (!within(persistence.timeoutSeconds, 1, maxPersistenceSeconds)) {
    return `a persistence timeout is from 1 to ${maxPersistenceSeconds} seconds`
  }
  return isMask(persistence.netmask, id.family) ? undefined : `"${persistence.netmask}" is not a netmask`
}

/** Empty is the default: every client on its own. */
function isMask(netmask: string, family: 4 | 6): boolean {
  if (netmask === '') return true
  if (family === 4) return isIPv4(netmask) && netmask !== '0.0.0.0'
  return /^\d{1,3}$/.test(netmask) && within(Number(netmask), 1, 128)
}

function rangeFault({ weight, upper, lower }: Destination): Fault | undefined {
  if (!within(weight, 0, maxWeight)) return { code: 'ERANGE', sentence: `a weight is from 0 to ${maxWeight}` }
  if (!within(upper, 0, maxU32) || !within(lower, 0, maxU32)) {
    return { code: 'ERANGE', sentence: `a threshold is from 0 to ${maxU32}` }
  }
  if (lower > upper) return { code: 'ERANGE', sentence: 'the lower threshold is above the upper' }
  return undefined
}

function destinationFault(id: ServiceId, { address, port, forwarding }: Destination): string | undefined {
  if (!within(port, 0, 65535)) return 'a port is from 0 to 65535'
  if (familyOf(address) !== id.family && forwarding !== 'ipip') return 'another address family is for ipip only'
  if (id.kind === 'address' && forwarding !== 'masq' && port !== id.port) {
    return `${forwarding} cannot change the port: the client's packet arrives as it was sent`
  }
  return undefined
}

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high
