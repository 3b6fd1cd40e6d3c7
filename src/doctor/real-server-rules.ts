import type { Family } from '../model/service.ts'
import { finding, type Remark } from './finding.ts'
import { type Goal, goalsOf, isLocal, type Rule, type Subject } from './subject.ts'

/** What real servers by gate and ipip must be told; it cannot be seen from here. */
export const realServers: Rule = (subject) =>
  ([4, 6] as const).flatMap((family) => [
    ...directOnes(subject, family, 'gate'),
    ...directOnes(subject, family, 'ipip'),
    ...masqueradedOnes(subject, family),
  ])

type Direct = 'gate' | 'ipip'

function directOnes(subject: Subject, family: Family, method: Direct): readonly Remark[] {
  const goals = elsewhere(subject, family).filter(({ forwarding }) => forwarding === method)
  const [first] = goals
  if (first === undefined) return []
  const addresses = goals.map(({ virtual: { id } }) => (id.kind === 'address' ? id.address : 'ADDRESS'))
  const message = `real servers by ${method} need the virtual address, and must not answer ARP for it`
  const message6 = `real servers by ${method} need the virtual address`
  const why =
    'packets come to them with the virtual address as destination. This cannot be seen from here; the lines keep until the next boot of the real server.'
  const commands = family === 4 ? lines4[method] : lines6[method]
  const link = links[family][method]
  const prefix = family === 4 ? 32 : 128
  const add = [...new Set(addresses)].map((address) => `ip address add ${address}/${prefix} dev ${link}`)
  return [
    finding('info', 'real-servers', {
      at: first.at,
      message: family === 4 ? message : message6,
      why,
      mend: { on: 'each real server', commands: [...commands, ...add] },
    }),
  ]
}

const quiet = ['sysctl -w net.ipv4.conf.all.arp_ignore=1', 'sysctl -w net.ipv4.conf.all.arp_announce=2']
const links = { 4: { gate: 'lo', ipip: 'tunl0' }, 6: { gate: 'lo', ipip: 'ip6tnl0' } } as const

/** In this order: the address must not be told to anybody at the moment it is added. */
const lines4: Readonly<Record<Direct, readonly string[]>> = {
  gate: quiet,
  ipip: [
    ...quiet,
    'modprobe ipip',
    'ip link set tunl0 up',
    'sysctl -w net.ipv4.conf.all.rp_filter=0',
    'sysctl -w net.ipv4.conf.tunl0.rp_filter=0',
  ],
}

/** Neighbour discovery answers only for addresses of the interface that was asked. */
const lines6: Readonly<Record<Direct, readonly string[]>> = {
  gate: [],
  ipip: ['modprobe ip6_tunnel', 'ip link set ip6tnl0 up'],
}

function masqueradedOnes(subject: Subject, family: Family): readonly Remark[] {
  const [first] = elsewhere(subject, family).filter(({ forwarding }) => forwarding === 'masq')
  if (first === undefined) return []
  const message = `real servers by masq must answer through this machine (IPv${family})`
  const why =
    'their replies have to be rewritten here, so their way back to the clients, in most cases their default route, is this machine. This cannot be seen from here.'
  return [finding('info', 'real-servers', { at: first.at, message, why })]
}

function elsewhere({ config, facts: { addresses } }: Subject, family: Family): readonly Goal[] {
  return goalsOf(config).filter(
    ({ virtual, address, isFallback }) =>
      virtual.id.family === family && !isFallback && !(addresses.known && isLocal(addresses.value, address)),
  )
}
