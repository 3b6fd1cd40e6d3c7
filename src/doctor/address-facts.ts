import type { NetworkInterfaceInfo } from 'node:os'
import { messageOf } from '../lib/errors.ts'
import { normaliseAddress } from '../lib/ip.ts'
import { addressOfBytes } from '../lib/ip-bytes.ts'
import { type Addresses, type Fact, known, type Network, unknownFact } from './facts.ts'
import { MISSING, readText } from './files.ts'
import type { Machine } from './machine.ts'

/** Addresses of interfaces, and what the routing tables deliver here besides. */
export async function readAddresses(machine: Machine): Promise<Fact<Addresses>> {
  const [trie, routes6] = await Promise.all([
    readText(machine.root, '/proc/net/fib_trie'),
    readText(machine.root, '/proc/net/ipv6_route'),
  ])
  const attached = attachedOf(machine)
  if (!attached.known && !trie.known) return attached
  const onInterfaces = attached.known ? attached.value : []
  // Every machine has 127.0.0.1 at least: nothing at all is no answer.
  if (onInterfaces.length === 0 && !trie.known) return unknownFact('the addresses of this machine', trie.reason)
  const local = onInterfaces.map(({ address }) => ({ address, prefix: address.includes(':') ? 128 : 32 }))
  if (trie.known) local.push(...readTrie(trie.value))
  if (routes6.known) local.push(...readRoutes6(routes6.value))
  // Without IPv6 there is no table of its routes, and no address either.
  const doubt6 = routes6.known || routes6.reason === MISSING ? undefined : routes6.reason
  return known({ local, attached: onInterfaces, doubt: { 4: trie.known ? undefined : trie.reason, 6: doubt6 } })
}

function attachedOf(machine: Machine): Fact<Addresses['attached']> {
  try {
    return known(
      Object.entries(machine.interfaces()).flatMap(([link, all = []]) => all.flatMap((each) => networkOf(link, each))),
    )
  } catch (error) {
    return unknownFact('the addresses of this machine', messageOf(error))
  }
}

function networkOf(link: string, info: NetworkInterfaceInfo): (Network & { readonly link: string })[] {
  const address = normaliseAddress(info.address, info.family === 'IPv6' ? 6 : 4)
  const [, prefix] = info.cidr?.split('/') ?? []
  if (address === undefined || prefix === undefined) return []
  return [{ link, address, prefix: Number(prefix) }]
}

/** /proc/net/fib_trie: under each `|-- ADDRESS` its prefixes, of which `host LOCAL` ones are ours. */
export function readTrie(text: string): readonly Network[] {
  const found = new Map<string, Network>()
  let address: string | undefined
  for (const line of text.split('\n')) {
    const [, leaf] = /\|-- (\S+)$/.exec(line) ?? []
    if (leaf !== undefined) address = normaliseAddress(leaf, 4)
    const [, prefix] = /^\s*\/(\d+) host LOCAL/.exec(line) ?? []
    if (prefix !== undefined && address !== undefined)
      found.set(`${address}/${prefix}`, { address, prefix: Number(prefix) })
  }
  return [...found.values()]
}

/** RTF_LOCAL of linux/ipv6_route.h. */
const LOCAL = 0x80000000

/** /proc/net/ipv6_route: destination, prefix, six more fields, flags, interface, in hex. */
export function readRoutes6(text: string): readonly Network[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(/\s+/)
    const [destination = '', prefix = ''] = fields
    const flags = Number.parseInt(fields[8] ?? '', 16)
    if (!/^[0-9a-f]{32}$/.test(destination) || Number.isNaN(flags) || (flags & LOCAL) === 0) return []
    return [{ address: addressOfBytes(Buffer.from(destination, 'hex'), 6), prefix: Number.parseInt(prefix, 16) }]
  })
}
