import type { Virtual } from '../config/model.ts'
import { familyOf } from '../lib/ip-bytes.ts'
import type { Addresses } from './facts.ts'
import { finding, look, type Mend, mendHere, quoteShell, type Remark } from './finding.ts'
import { contains, firstOfEach, type Goal, goalsOf, isLocal, isLoopback, nameOf, type Rule } from './subject.ts'

/** IPVS sees only packets that the kernel delivers here. */
export const virtualAddress: Rule = ({ config, facts }) => {
  const addressed = config.virtuals.flatMap((virtual) =>
    virtual.id.kind === 'address' ? [{ virtual, address: virtual.id.address }] : [],
  )
  if (addressed.length === 0) return []
  return look(facts.addresses, (addresses) => {
    const absent = firstOfEach(addressed, ({ address }) => address).filter(
      ({ address }) => !isLocal(addresses, address),
    )
    return absent.map((each): Remark => {
      const { address } = each
      const doubt = addresses.doubt[familyOf(address)]
      if (doubt !== undefined) return { kind: 'unseen', what: `whether ${address} is delivered here`, reason: doubt }
      return absentAddress({ ...each, addresses }, facts.failover)
    })
  })
}

interface Absent {
  readonly address: string
  readonly virtual: Virtual
  readonly addresses: Addresses
}

/** With failover software it may stand on the other director, and rightly so: then it must not be added by hand. */
function absentAddress({ address, virtual, addresses }: Absent, failover: readonly string[]): Remark {
  const message = `the virtual address ${address} is on no interface of this machine`
  if (failover.length > 0) {
    const why = `the director that serves has it; on a standby it is absent by design. ${failover.join(' and ')} is set up here and brings it. If this machine should be serving now, look there.`
    return finding('warning', 'virtual-address', { at: virtual.at, message, why })
  }
  const why = 'packets of its clients do not come here, or are not taken for ours, so IPVS never sees them.'
  return finding('error', 'virtual-address', { at: virtual.at, message, why, mend: addAddress(address, addresses) })
}

/** To the interface whose network it is of, else to the first one. */
export function addAddress(address: string, { attached }: Addresses): Mend {
  const outside = attached.filter((network) => !isLoopback(network.address) && network.link !== 'lo')
  const sameFamily = outside.filter((network) => familyOf(network.address) === familyOf(address))
  const link = outside.find((network) => contains(network, address)) ?? sameFamily[0] ?? outside[0]
  const prefix = familyOf(address) === 6 ? 128 : 32
  return mendHere(`ip address add ${address}/${prefix} dev ${quoteShell(link?.link ?? 'lo')}`)
}

/** gate and ipip leave the packet as it is, so they cannot change its port (ip_vs_xmit). */
export const otherPort: Rule = ({ config }) =>
  config.virtuals.flatMap((virtual) =>
    virtual.reals
      .filter(({ port, effectivePort }) => port !== 0 && port !== effectivePort)
      .map(({ at, forwarding, host, port, effectivePort }) => {
        const message = `${forwarding} does not change the port: the kernel ignores port ${port} of ${host}`
        const why = `the check asks port ${port} and clients reach port ${effectivePort}: one may be well while the other is not. Write ${effectivePort}, or use masq.`
        return finding('warning', 'other-port', { at, message, why })
      }),
  )

/** The kernel drops what it would rewrite to a loopback address, unless the client is on this machine. */
export const loopbackMasquerade: Rule = ({ config }) =>
  goalsOf(config)
    .filter(({ address, forwarding }) => forwarding === 'masq' && isLoopback(address))
    .map(({ at, address, virtual, isFallback }) => {
      const what = isFallback ? 'fallback' : 'real server'
      const message = `the ${what} ${address} of ${nameOf(virtual)} is a loopback address with masq`
      const why =
        'the kernel does not rewrite packets from outside to a loopback address: every client times out. Use gate with the port of the virtual service, or masq with another address of this machine.'
      return finding('error', 'loopback-masq', { at, message, why })
    })

/** A real server that is this machine answers for the virtual address itself. */
export const ownRealServer: Rule = ({ config, facts }) => {
  const { addresses } = facts
  if (!addresses.known) return []
  return goalsOf(config)
    .filter((goal) => !goal.isFallback && goal.forwarding !== 'masq' && isLocal(addresses.value, goal.address))
    .map(({ at, address, virtual, forwarding }) => {
      const message = `the real server ${address} of ${nameOf(virtual)} is this machine, by ${forwarding}`
      const why =
        'packets are delivered here as they came, to the virtual address: the server must listen on that address, or on all. Its check asks another address.'
      return finding('info', 'own-real', { at, message, why })
    })
}

/** Directors that are real servers of each other hand the same packets to and fro (ipvs-sysctl, backup_only). */
export const packetLoop: Rule = ({ config, facts }) => {
  const { addresses, failover } = facts
  const own = addresses.known ? goalsOf(config).find((goal) => isOwn(goal, addresses.value)) : undefined
  const backupOnly = facts.sysctls.get('net.ipv4.vs.backup_only')
  if (own === undefined || failover.length === 0 || backupOnly?.known !== true || backupOnly.value !== 0) return []
  const message = `${own.address} is this machine and a real server by ${own.forwarding}, and ${failover.join(' and ')} is set up`
  const why =
    'while the other director serves, what it sends here meets the same table again and may be sent back. Either run this daemon only where the virtual address is, or let the standby be in backup state (ipvsadm --start-daemon backup) and set backup_only.'
  return [
    finding('warning', 'packet-loop', {
      at: own.at,
      message,
      why,
      mend: mendHere('sysctl -w net.ipv4.vs.backup_only=1'),
    }),
  ]
}

/** A real server by gate or ipip that is this machine, by an address that others can reach. */
export function isOwn({ address, forwarding, isFallback }: Goal, addresses: Addresses): boolean {
  return !isFallback && forwarding !== 'masq' && !isLoopback(address) && isLocal(addresses, address)
}
