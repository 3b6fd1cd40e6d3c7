import { bytesOfAddress, familyOf } from '../../lib/ip-bytes.ts'
import type { Family, ServiceId } from '../../model/service.ts'
import type { Destination, ServiceSettings } from '../../model/table.ts'
import type { ConnectionTimeouts } from '../../model/timeouts.ts'
import type { Operation } from '../../table/operation.ts'
import {
  addressFamilyNumber,
  command,
  controller,
  destinationAttribute as d,
  forwardingNumber,
  ipvsFamilyName,
  ipvsVersion,
  messageFlag,
  messageType,
  part,
  protocolNumber,
  serviceAttribute as s,
  serviceFlag,
} from './constants.ts'
import { attribute, encodeMessage, nest, text, u16, u16BigEndian, u32 } from './wire.ts'

/** What a request goes by: the id of the IPVS family, which is the kernel's to give, and its number in the exchange. */
export interface Envelope {
  readonly family: number
  readonly seq: number
}

export function encodeFamilyLookup(seq: number): Buffer {
  const head = { type: messageType.controller, command: controller.getFamily, version: controller.version }
  const name = attribute(controller.familyName, text(ipvsFamilyName))
  return encodeMessage({ ...head, flags: messageFlag.request, seq }, [name])
}

export function encodeServiceDump(envelope: Envelope): Buffer {
  return encode(envelope, { command: command.getService, flags: messageFlag.dump, parts: [] })
}

export function encodeDestinationDump(id: ServiceId, envelope: Envelope): Buffer {
  const parts = [nest(part.service, serviceKey(id))]
  return encode(envelope, { command: command.getDestination, flags: messageFlag.dump, parts })
}

/** For a command without a content, `getConfig` or `getInfo`: its one answer is followed by an acknowledgement. */
export function encodeQuestion(asked: 'getConfig' | 'getInfo', envelope: Envelope): Buffer {
  return encode(envelope, { command: command[asked], flags: messageFlag.ack, parts: [] })
}

/** A time-out of 0 is left as it is. */
export function encodeTimeouts({ tcp, tcpFin, udp }: ConnectionTimeouts, envelope: Envelope): Buffer {
  const parts = [
    attribute(part.timeoutTcp, u32(tcp)),
    attribute(part.timeoutTcpFin, u32(tcpFin)),
    attribute(part.timeoutUdp, u32(udp)),
  ]
  return encode(envelope, { command: command.setConfig, flags: messageFlag.ack, parts })
}

export interface OperationOptions extends Envelope {
  /** Ask for an answer also when it goes well. */
  readonly ack: boolean
  /** The persistence engine to keep in an edit; empty for none. An edit without it would clear it. */
  readonly engine: string
}

export function encodeOperation(operation: Operation, options: OperationOptions): Buffer {
  const flags = options.ack ? messageFlag.ack : 0
  return encode(options, { command: commandOf(operation), flags, parts: partsOf(operation, options.engine) })
}

interface Content {
  readonly command: number
  readonly flags: number
  readonly parts: readonly Buffer[]
}

function encode({ family, seq }: Envelope, content: Content): Buffer {
  const flags = messageFlag.request | content.flags
  return encodeMessage({ type: family, flags, seq, command: content.command, version: ipvsVersion }, content.parts)
}

function commandOf({ kind }: Operation): number {
  switch (kind) {
    case 'add-service':
      return command.newService
    case 'edit-service':
      return command.setService
    case 'delete-service':
      return command.deleteService
    case 'add-destination':
      return command.newDestination
    case 'edit-destination':
      return command.setDestination
    case 'delete-destination':
      return command.deleteDestination
  }
}

function partsOf(operation: Operation, engine: string): Buffer[] {
  const { id } = operation
  const service = nest(part.service, serviceKey(id))
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return [nest(part.service, [...serviceKey(id), ...serviceSettings(id.family, operation.settings, engine)])]
    case 'delete-service':
      return [service]
    case 'add-destination':
    case 'edit-destination':
      return [service, nest(part.destination, wholeDestination(operation.destination))]
    case 'delete-destination':
      return [service, nest(part.destination, destinationKey(operation.destination))]
  }
}

function serviceKey(id: ServiceId): Buffer[] {
  const family = attribute(s.addressFamily, u16(addressFamilyNumber[id.family]))
  if (id.kind === 'fwmark') return [family, attribute(s.mark, u32(id.mark))]
  return [
    family,
    attribute(s.protocol, u16(protocolNumber[id.protocol])),
    attribute(s.address, bytesOfAddress(id.address, id.family)),
    attribute(s.port, u16BigEndian(id.port)),
  ]
}

function serviceSettings(family: Family, settings: ServiceSettings, engine: string): Buffer[] {
  const { scheduler, schedulerFlags, persistence, onePacket } = settings
  const flags =
    (persistence === undefined ? 0 : serviceFlag.persistent) |
    (onePacket ? serviceFlag.onePacket : 0) |
    (schedulerFlags & serviceFlag.schedulerBits)
  // Bits outside the mask are the kernel's own or unknown to us, and stay.
  const mask = serviceFlag.persistent | serviceFlag.onePacket | serviceFlag.schedulerBits
  return [
    attribute(s.scheduler, text(scheduler)),
    attribute(s.flags, Buffer.concat([u32(flags), u32(mask)])),
    attribute(s.timeout, u32(persistence?.timeoutSeconds ?? 0)),
    attribute(s.netmask, netmaskBytes(persistence?.netmask ?? '', family)),
    ...(engine === '' ? [] : [attribute(s.engine, text(engine))]),
  ]
}

function netmaskBytes(netmask: string, family: Family): Buffer {
  if (family === 6) return u32(netmask === '' ? 128 : Number(netmask))
  return bytesOfAddress(netmask === '' ? '255.255.255.255' : netmask, 4)
}

function destinationKey({ address, port }: Pick<Destination, 'address' | 'port'>): Buffer[] {
  const family = familyOf(address)
  return [
    attribute(d.addressFamily, u16(addressFamilyNumber[family])),
    attribute(d.address, bytesOfAddress(address, family)),
    attribute(d.port, u16BigEndian(port)),
  ]
}

/** Tunnel attributes are left out: the kernel then takes ipip, the only tunnel that we can say. */
function wholeDestination(destination: Destination): Buffer[] {
  return [
    ...destinationKey(destination),
    attribute(d.forwarding, u32(forwardingNumber[destination.forwarding])),
    attribute(d.weight, u32(destination.weight)),
    attribute(d.upper, u32(destination.upper)),
    attribute(d.lower, u32(destination.lower)),
  ]
}
