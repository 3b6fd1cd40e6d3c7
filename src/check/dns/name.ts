import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { bytesOfAddress } from '../../lib/ip-bytes.ts'
import { malformed } from './malformed.ts'

const longestLabel = 63
const longestName = 255

/** The wire form of a name (RFC 1035 section 3.1); a dot at the end changes nothing. Throws RangeError. */
export function encodeName(name: string): Buffer {
  const text = name.endsWith('.') ? name.slice(0, -1) : name
  const labels = text === '' ? [] : text.split('.').map((label) => Buffer.from(label, 'latin1'))
  for (const label of labels) {
    if (label.length === 0) throw new RangeError('a part of the name is empty')
    if (label.length > longestLabel) throw new RangeError(`a part of the name is longer than ${longestLabel} bytes`)
  }
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), label])
  const bytes = Buffer.concat([...parts, Buffer.from([0])])
  if (bytes.length > longestName) throw new RangeError(`the name is longer than ${longestName} bytes`)
  return bytes
}

/**
 * The name at an offset and where it ends there. Pointers lead backwards only (RFC 1035 section 4.1.4), each further
 * than the one before, so a message cannot make this run in circles.
 *
 * @throws Failure
 */
export function readName(message: Buffer, offset: number): { name: string; end: number } {
  const labels: string[] = []
  let end: number | undefined
  let at = offset
  let lowest = offset
  let length = 1
  for (;;) {
    const first = byteAt(message, at)
    if (first === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if (first >= 0xc0) {
      const to = ((first & 0x3f) << 8) | byteAt(message, at + 1)
      if (to >= lowest) throw malformed('a name refers to itself or forwards')
      end ??= at + 2
      lowest = to
      at = to
    } else {
      if (first > longestLabel) throw malformed('a label of an unknown kind')
      length += first + 1
      if (length > longestName) throw malformed('a name is too long')
      byteAt(message, at + first)
      labels.push(labelText(message.subarray(at + 1, at + 1 + first)))
      at += first + 1
    }
  }
}

/** What stands for an address in the reverse tree (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const digits = [...bytesOfAddress(address, 6).toString('hex')]
  return `${digits.reverse().join('.')}.ip6.arpa`
}

/** A name as the config has it, as it is asked for: letters beyond ASCII in their ASCII form (RFC 5891). */
export function asciiName(name: string): string {
  return /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name)
}

function byteAt(message: Buffer, at: number): number {
  const value = message[at]
  if (value === undefined) throw malformed('a name is cut off')
  return value
}

/** A dot within a label is escaped, as in zone files; other bytes stand as they are. */
function labelText(label: Buffer): string {
  return label.toString('latin1').replace(/[.\\]/g, '\\$&')
}
