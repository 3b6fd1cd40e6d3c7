import { bytesOfAddress, familyOf } from '../lib/ip-bytes.ts'
import type { ServiceId } from '../model/service.ts'
import type { Destination } from '../model/table.ts'

/**
 * ipvsadm's order: marks after addresses, then IPv4, IPv6; tcp, udp, sctp; address; port. It compares by the sign of
 * a 32-bit difference, so addresses more than half the space apart come the other way round; lists that are compared
 * with its output must do the same.
 */
export function byService(a: ServiceId, b: ServiceId): number {
  return (
    difference(a.kind === 'fwmark' ? a.mark : 0, b.kind === 'fwmark' ? b.mark : 0) ||
    a.family - b.family ||
    (a.kind === 'address' && b.kind === 'address' ? byAddressService(a, b) : 0)
  )
}

type AddressService = Extract<ServiceId, { kind: 'address' }>
const protocols = ['tcp', 'udp', 'sctp']

function byAddressService(a: AddressService, b: AddressService): number {
  const protocol = protocols.indexOf(a.protocol) - protocols.indexOf(b.protocol)
  return protocol || byAddress(a.address, b.address) || a.port - b.port
}

export function byDestination(
  a: Pick<Destination, 'address' | 'port'>,
  b: Pick<Destination, 'address' | 'port'>,
): number {
  return byAddress(a.address, b.address) || a.port - b.port
}

function byAddress(a: string, b: string): number {
  const [left, right] = [wordsOf(a), wordsOf(b)]
  if (left.length !== right.length) return left.length - right.length
  for (const [index, word] of left.entries()) {
    const order = difference(word, right[index] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

const difference = (a: number, b: number): number => (a - b) | 0

function wordsOf(address: string): number[] {
  const bytes = bytesOfAddress(address, familyOf(address))
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4))
}
