import { addressOfBytes } from '../../lib/ip-bytes.ts'
import type { Family, Protocol, ServiceId } from '../../model/service.ts'
import type { ServiceSettings } from '../../model/table.ts'
import type { ObservedDestination, ObservedService } from '../../table/operation.ts'
import {
  addressFamilyNumber,
  controller,
  destinationAttribute as d,
  forwardingNumber,
  messageType,
  part,
  protocolNumber,
  serviceAttribute as s,
  serviceFlag,
  tunnelNumber,
} from './constants.ts'
import { attributesIn, genericAttributes, type Message } from './wire.ts'

export type Attributes = ReadonlyMap<number, Buffer>

/** The errno of an ERROR or DONE message as a positive number, 0 for an acknowledgement; undefined for any other. */
export function errnoOf({ type, body }: Message): number | undefined {
  if (type !== messageType.error && type !== messageType.done) return undefined
  return body.length < 4 ? 0 : Math.abs(body.readInt32LE(0))
}

export function decodeFamilyId(message: Message): number | undefined {
  return genericAttributes(message).get(controller.familyId)?.readUInt16LE(0)
}

/** Undefined for one that we cannot name (another protocol or address family): it can be nobody's but others'. */
export function decodeServiceId(message: Message): ServiceId | undefined {
  return idIn(partOf(message, part.service))
}

/** The whole service but for its destinations. */
export function decodeService(message: Message): Omit<ObservedService, 'destinations'> | undefined {
  const attributes = partOf(message, part.service)
  const id = idIn(attributes)
  if (id === undefined) return undefined
  return { id, ...settingsIn(attributes, id.family), engine: textOf(attributes.get(s.engine)) }
}

export function decodeDestination(message: Message, family: Family): ObservedDestination | undefined {
  const attributes = partOf(message, part.destination)
  const address = attributes.get(d.address)
  const port = attributes.get(d.port)
  if (address === undefined || port === undefined) return undefined
  const said = familyIn(attributes.get(d.addressFamily)) ?? family
  return {
    address: addressOfBytes(address, said),
    port: port.readUInt16BE(0),
    forwarding: forwardingIn(attributes),
    weight: attributes.get(d.weight)?.readInt32LE(0) ?? 0,
    upper: u32In(attributes, d.upper),
    lower: u32In(attributes, d.lower),
    activeConnections: u32In(attributes, d.activeConnections),
    inactiveConnections: u32In(attributes, d.inactiveConnections),
  }
}

export function partOf(message: Message, type: number): Attributes {
  return attributesIn(genericAttributes(message).get(type) ?? Buffer.alloc(0))
}

function idIn(attributes: Attributes): ServiceId | undefined {
  const family = familyIn(attributes.get(s.addressFamily))
  if (family === undefined) return undefined
  const mark = u32In(attributes, s.mark)
  if (mark !== 0) return { kind: 'fwmark', family, mark }
  const protocol = protocolIn(attributes)
  const address = attributes.get(s.address)
  const port = attributes.get(s.port)
  if (protocol === undefined || address === undefined || port === undefined) return undefined
  return { kind: 'address', protocol, family, address: addressOfBytes(address, family), port: port.readUInt16BE(0) }
}

function familyIn(bytes: Buffer | undefined): Family | undefined {
  const number = bytes?.readUInt16LE(0)
  if (number === addressFamilyNumber[4]) return 4
  return number === addressFamilyNumber[6] ? 6 : undefined
}

function protocolIn(attributes: Attributes): Protocol | undefined {
  const number = attributes.get(s.protocol)?.readUInt16LE(0)
  const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp']
  return protocols.find((protocol) => protocolNumber[protocol] === number)
}

function settingsIn(attributes: Attributes, family: Family): ServiceSettings {
  const flags = u32In(attributes, s.flags)
  const persistent = (flags & serviceFlag.persistent) !== 0
  return {
    scheduler: textOf(attributes.get(s.scheduler)),
    schedulerFlags: flags & serviceFlag.schedulerBits,
    onePacket: (flags & serviceFlag.onePacket) !== 0,
    persistence: persistent
      ? { timeoutSeconds: u32In(attributes, s.timeout), netmask: netmaskIn(attributes, family) }
      : undefined,
  }
}

function netmaskIn(attributes: Attributes, family: Family): string {
  const bytes = attributes.get(s.netmask)
  if (bytes === undefined || bytes.length < 4) return ''
  return family === 6 ? String(bytes.readUInt32LE(0)) : addressOfBytes(bytes, 4)
}

function forwardingIn(attributes: Attributes): ObservedDestination['forwarding'] {
  const number = u32In(attributes, d.forwarding)
  const tunnel = attributes.get(d.tunnelType)?.[0] ?? tunnelNumber.ipip
  const names = ['masq', 'local', 'ipip', 'gate', 'bypass'] as const
  const name = names.find((candidate) => forwardingNumber[candidate] === number) ?? 'unknown'
  return name === 'ipip' && tunnel !== tunnelNumber.ipip ? 'unknown' : name
}

export function u32In(attributes: Attributes, type: number): number {
  return attributes.get(type)?.readUInt32LE(0) ?? 0
}

function textOf(bytes: Buffer | undefined): string {
  const [value = ''] = (bytes?.toString('latin1') ?? '').split('\0')
  return value
}
