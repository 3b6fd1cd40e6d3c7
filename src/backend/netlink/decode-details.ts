import type { Family } from '../../model/service.ts'
import type { ConnectionTimeouts } from '../../model/timeouts.ts'
import type { Counted, DestinationDetails, ServiceDetails, TableInfo, Tunnel } from '../../table/details.ts'
import {
  destinationAttribute as d,
  forwardingNumber,
  info,
  part,
  serviceAttribute as s,
  statistic,
  tunnelFlag,
  tunnelNumber,
} from './constants.ts'
import { type Attributes, decodeDestination, decodeService, partOf, u32In } from './decode.ts'
import { attributesIn, genericAttributes, type Message } from './wire.ts'

/** A service with its counters, without its destinations. Undefined for one that we cannot name. */
export function decodeServiceDetails(message: Message): Omit<ServiceDetails, 'destinations'> | undefined {
  const service = decodeService(message)
  if (service === undefined) return undefined
  const attributes = partOf(message, part.service)
  return { ...service, ...countedIn(attributes.get(s.stats64) ?? attributes.get(s.stats)) }
}

export function decodeDestinationDetails(message: Message, family: Family): DestinationDetails | undefined {
  const destination = decodeDestination(message, family)
  if (destination === undefined) return undefined
  const attributes = partOf(message, part.destination)
  return {
    ...destination,
    ...countedIn(attributes.get(d.stats64) ?? attributes.get(d.stats)),
    persistentConnections: u32In(attributes, d.persistentConnections),
    tunnel: tunnelIn(attributes),
  }
}

export function decodeTimeouts(message: Message): ConnectionTimeouts {
  const attributes = genericAttributes(message)
  return {
    tcp: u32In(attributes, part.timeoutTcp),
    tcpFin: u32In(attributes, part.timeoutTcpFin),
    udp: u32In(attributes, part.timeoutUdp),
  }
}

/** The version is a byte for each of its three numbers. */
export function decodeInfo(message: Message): TableInfo {
  const attributes = genericAttributes(message)
  const version = u32In(attributes, info.version)
  return {
    version: [version >>> 16, (version >>> 8) & 0xff, version & 0xff].join('.'),
    connectionTableSize: u32In(attributes, info.connectionTableSize),
  }
}

/** Both forms look alike but for the width of their numbers; kernels before 4.1 have only the first. */
function countedIn(bytes: Buffer | undefined): Counted {
  const attributes = attributesIn(bytes ?? Buffer.alloc(0))
  const of = (type: number): number => numberIn(attributes.get(type))
  return {
    totals: {
      connections: of(statistic.connections),
      inPackets: of(statistic.inPackets),
      outPackets: of(statistic.outPackets),
      inBytes: of(statistic.inBytes),
      outBytes: of(statistic.outBytes),
    },
    rates: {
      connections: of(statistic.connectionsPerSecond),
      inPackets: of(statistic.inPacketsPerSecond),
      outPackets: of(statistic.outPacketsPerSecond),
      inBytes: of(statistic.inBytesPerSecond),
      outBytes: of(statistic.outBytesPerSecond),
    },
  }
}

function numberIn(bytes: Buffer | undefined): number {
  if (bytes === undefined) return 0
  return bytes.length < 8 ? bytes.readUInt32LE(0) : Number(bytes.readBigUInt64LE(0))
}

function tunnelIn(attributes: Attributes): Tunnel | undefined {
  if (u32In(attributes, d.forwarding) !== forwardingNumber.ipip) return undefined
  const number = attributes.get(d.tunnelType)?.[0]
  const type = (['gue', 'gre'] as const).find((name) => tunnelNumber[name] === number)
  if (type === undefined) return undefined
  const flags = attributes.get(d.tunnelFlags)?.readUInt16LE(0) ?? 0
  const checksum = (['csum', 'remcsum'] as const).find((name) => (flags & tunnelFlag[name]) !== 0) ?? 'nocsum'
  return { type, port: attributes.get(d.tunnelPort)?.readUInt16BE(0) ?? 0, checksum }
}
