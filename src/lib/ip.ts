import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The two kinds of address that a configuration can hold. */
export type AddressFamily = 4 | 6

/** An IPv4 address in normal form, and whether it was written in another (octal, hexadecimal, fewer parts). */
export interface NumericIPv4 {
  readonly address: string
  readonly unusual: boolean
}

/**
 * The number forms of inet_aton(3), which the C library and so Perl ldirectord take: one to four parts, each decimal,
 * octal (leading 0) or hexadecimal (leading 0x); the last part fills the remaining bytes. Undefined for anything else.
 */
export function parseIPv4(text: string): NumericIPv4 | undefined {
  if (isIPv4(text)) return { address: text, unusual: false }
  const parts = text.split('.')
  if (parts.length > 4) return undefined
  const last = parts.length - 1
  let value = 0
  for (const [index, part] of parts.entries()) {
    const number = parsePart(part)
    const limit = index < last ? 256 : 256 ** (4 - last)
    if (number === undefined || number >= limit) return undefined
    value += index < last ? number * 256 ** (3 - index) : number
  }
  return { address: formatIPv4(value), unusual: true }
}

function parsePart(part: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(part)) return Number.parseInt(part.slice(2), 16)
  if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8)
  if (/^[1-9][0-9]*$/.test(part)) return Number(part)
  return undefined
}

/** Lower case, compressed (RFC 5952); undefined for anything that is not an IPv6 literal without a zone. */
export function normaliseIPv6(text: string): string | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined
  return ipaddr.IPv6.parse(text).toString()
}

/** An address as a resolver gives it, in normal form; undefined if it is not of that family. */
export function normaliseAddress(text: string, family: AddressFamily): string | undefined {
  if (family === 6) return normaliseIPv6(text)
  return isIPv4(text) ? text : undefined
}

/** The dotted quad of a 32-bit number. */
export function formatIPv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** The 32-bit number of a dotted quad in normal form; by value, so that addresses compare as numbers (defect D38). */
export function ipv4ToNumber(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}

/** Whether the dotted quad is a netmask: ones, then zeros. */
export function isContiguousMask(mask: string): boolean {
  const inverted = 0xffffffff - ipv4ToNumber(mask)
  return Number.isInteger(Math.log2(inverted + 1))
}
