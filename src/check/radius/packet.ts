import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Codes of RFC 2865 section 3. */
export const code = { accessRequest: 1, accessAccept: 2, accessReject: 3, accessChallenge: 11 } as const

/** Attribute types (RFC 2865 section 5, RFC 3162, RFC 2869 section 5.14). */
export const attributeType = {
  userName: 1,
  userPassword: 2,
  nasIpAddress: 4,
  replyMessage: 18,
  messageAuthenticator: 80,
  nasIpv6Address: 95,
} as const

const headerLength = 20
const longestPacket = 4096
const digestLength = 16

export interface Attribute {
  readonly type: number
  readonly value: Buffer
}

export interface Packet {
  readonly code: number
  readonly identifier: number
  readonly authenticator: Buffer
  readonly attributes: readonly Attribute[]
}

/** Throws RangeError when a value or the whole is too long for the protocol. */
export function encodePacket({ code: first, identifier, authenticator, attributes }: Packet): Buffer {
  const parts = attributes.map(({ type, value }) => {
    if (value.length > 253) throw new RangeError('an attribute is longer than 253 bytes')
    return Buffer.concat([Buffer.from([type, value.length + 2]), value])
  })
  const bytes = Buffer.concat([Buffer.from([first, identifier, 0, 0]), authenticator, ...parts])
  if (bytes.length > longestPacket) throw new RangeError(`a packet is longer than ${longestPacket} bytes`)
  bytes.writeUInt16BE(bytes.length, 2)
  return bytes
}

/** The packet of a datagram without its padding, and what it says; undefined when it is none. */
export function decodePacket(datagram: Buffer): { packet: Packet; bytes: Buffer } | undefined {
  if (datagram.length < headerLength) return undefined
  const length = datagram.readUInt16BE(2)
  if (length < headerLength || length > Math.min(datagram.length, longestPacket)) return undefined
  const bytes = datagram.subarray(0, length)
  const attributes: Attribute[] = []
  let at = headerLength
  while (at < length) {
    const size = at + 1 < length ? bytes.readUInt8(at + 1) : 0
    if (size < 2 || at + size > length) return undefined
    attributes.push({ type: bytes.readUInt8(at), value: bytes.subarray(at + 2, at + size) })
    at += size
  }
  const authenticator = bytes.subarray(4, headerLength)
  return { packet: { code: bytes.readUInt8(0), identifier: bytes.readUInt8(1), authenticator, attributes }, bytes }
}

/** A password as User-Password carries it (RFC 2865 section 5.2). Throws RangeError for one above 128 bytes. */
export function hidePassword(password: Buffer, secret: Buffer, authenticator: Buffer): Buffer {
  if (password.length > 128) throw new RangeError('a password is longer than 128 bytes')
  const hidden = Buffer.alloc(Math.max(1, Math.ceil(password.length / digestLength)) * digestLength)
  password.copy(hidden)
  let before = authenticator
  for (let at = 0; at < hidden.length; at += digestLength) {
    const mask = createHash('md5').update(secret).update(before).digest()
    const block = hidden.subarray(at, at + digestLength)
    for (const [index, byte] of mask.entries()) block.writeUInt8(block.readUInt8(index) ^ byte, index)
    before = block
  }
  return hidden
}

/** As `encodePacket`, with a Message-Authenticator in front (RFC 3579 section 3.2), which every request should have. */
export function signPacket(packet: Packet, secret: Buffer): Buffer {
  const blank: Attribute = { type: attributeType.messageAuthenticator, value: Buffer.alloc(digestLength) }
  const bytes = encodePacket({ ...packet, attributes: [blank, ...packet.attributes] })
  createHmac('md5', secret)
    .update(bytes)
    .digest()
    .copy(bytes, headerLength + 2)
  return bytes
}

/** Whether an answer comes from somebody who knows the secret and saw the request (RFC 2865 section 3, RFC 3579 3.2). */
export function isGenuine(answer: Buffer, requestAuthenticator: Buffer, secret: Buffer): boolean {
  const decoded = decodePacket(answer)
  if (decoded === undefined) return false
  const { packet, bytes } = decoded
  const signed = Buffer.from(bytes)
  requestAuthenticator.copy(signed, 4)
  const digest = createHash('md5').update(signed).update(secret).digest()
  if (!timingSafeEqual(digest, packet.authenticator)) return false
  return packet.attributes
    .filter(({ type }) => type === attributeType.messageAuthenticator)
    .every(({ value }) => value.length === digestLength && isSignature(value, { bytes, signed }, secret))
}

interface Signed {
  readonly bytes: Buffer
  /** The same with the request's authenticator. */
  readonly signed: Buffer
}

function isSignature(value: Buffer, { bytes, signed }: Signed, secret: Buffer): boolean {
  const at = value.byteOffset - bytes.byteOffset
  const blanked = Buffer.from(signed).fill(0, at, at + digestLength)
  return timingSafeEqual(createHmac('md5', secret).update(blanked).digest(), value)
}
