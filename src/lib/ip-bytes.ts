import { type AddressFamily, normaliseIPv6 } from './ip.ts'

/** The 4 or 16 bytes of an address in normal form, network order. Throws RangeError for anything else: a bug of ours. */
export function bytesOfAddress(address: string, family: AddressFamily): Buffer {
  const bytes = family === 4 ? bytesOf4(address) : bytesOf6(address)
  if (bytes === undefined) throw new RangeError(`${JSON.stringify(address)} is not an IPv${family} address`)
  return bytes
}

/** The normal form of 4 or 16 bytes. */
export function addressOfBytes(bytes: Uint8Array, family: AddressFamily): string {
  if (family === 4) return bytes.subarray(0, 4).join('.')
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, 16)
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((offset) => view.readUInt16BE(offset).toString(16))
  const text = groups.join(':')
  return normaliseIPv6(text) ?? text
}

export function familyOf(address: string): AddressFamily {
  return address.includes(':') ? 6 : 4
}

function bytesOf4(address: string): Buffer | undefined {
  const parts = address.split('.')
  const isQuad = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
  return isQuad ? Buffer.from(parts.map(Number)) : undefined
}

function bytesOf6(address: string): Buffer | undefined {
  if (normaliseIPv6(address) === undefined) return undefined
  const [head = '', tail] = address.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<number>(zeros).fill(0), ...right]
  const bytes = Buffer.alloc(16)
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(group, index * 2)
  return bytes
}

/** The 16-bit groups of a part of an IPv6 address; a dotted quad at its end is two of them. */
function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    const quad = part.includes('.') ? bytesOf4(part) : undefined
    return quad === undefined ? [Number.parseInt(part, 16)] : [quad.readUInt16BE(0), quad.readUInt16BE(2)]
  })
}
