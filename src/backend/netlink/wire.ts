/**
 * Netlink framing: messages and attributes, as bytes. Everything is in the machine's own order, which is little
 * endian on every machine that the socket library is built for; ports alone are big endian.
 */

const headerLength = 16
const genericHeaderLength = 4
const attributeHeaderLength = 4
const nestedBit = 0x8000
const typeMask = 0x3fff

export interface Message {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly body: Buffer
}

export interface Head {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly command: number
  readonly version: number
}

export function encodeMessage(head: Head, attributes: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(headerLength + genericHeaderLength)
  const message = Buffer.concat([header, ...attributes])
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(head.type, 4)
  message.writeUInt16LE(head.flags, 6)
  message.writeUInt32LE(head.seq, 8)
  message.writeUInt8(head.command, 16)
  message.writeUInt8(head.version, 17)
  return message
}

export function attribute(type: number, payload: Uint8Array): Buffer {
  const length = attributeHeaderLength + payload.length
  const bytes = Buffer.alloc(padded(length))
  bytes.writeUInt16LE(length, 0)
  bytes.writeUInt16LE(type, 2)
  bytes.set(payload, attributeHeaderLength)
  return bytes
}

export function nest(type: number, attributes: readonly Buffer[]): Buffer {
  return attribute(type | nestedBit, Buffer.concat(attributes))
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

/** A port. */
export function u16BigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** With the NUL that ends it. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'latin1')
}

/** The messages of one datagram. Throws RangeError when a length does not fit. */
export function messagesIn(datagram: Buffer): Message[] {
  const messages: Message[] = []
  let offset = 0
  while (offset + headerLength <= datagram.length) {
    const length = datagram.readUInt32LE(offset)
    if (length < headerLength || offset + length > datagram.length) throw new RangeError('a netlink message is cut off')
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      seq: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + headerLength, offset + length),
    })
    offset += padded(length)
  }
  return messages
}

/** By type; what stands more than once counts as it stands last. Throws RangeError when a length does not fit. */
export function attributesIn(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>()
  let offset = 0
  while (offset + attributeHeaderLength <= bytes.length) {
    const length = bytes.readUInt16LE(offset)
    if (length < attributeHeaderLength || offset + length > bytes.length) {
      throw new RangeError('a netlink attribute is cut off')
    }
    const type = bytes.readUInt16LE(offset + 2) & typeMask
    attributes.set(type, bytes.subarray(offset + attributeHeaderLength, offset + length))
    offset += padded(length)
  }
  return attributes
}

/** The attributes of a generic netlink message. */
export function genericAttributes({ body }: Message): ReadonlyMap<number, Buffer> {
  return attributesIn(body.subarray(genericHeaderLength))
}

const padded = (length: number): number => (length + 3) & ~3
