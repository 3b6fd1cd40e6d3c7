import { isOwn } from './address-rules.ts'
import type { Link } from './facts.ts'
import { finding, look, mendHere, type Remark } from './finding.ts'
import { goalsOf, type Rule } from './subject.ts'

/** The kernel takes the greater of `all` and the interface's own (Documentation/networking/ip-sysctl.rst). */
function inEffect(links: readonly Link[], link: Link, field: 'rpFilter' | 'arpIgnore' | 'arpAnnounce'): number {
  const all = links.find(({ name }) => name === 'all')
  return Math.max(all?.[field] ?? 0, link[field])
}

function isOutside({ name }: Link): boolean {
  return !['all', 'default', 'lo', 'tunl0'].includes(name)
}

/** This machine as a real server of its peer: it has the virtual address on lo and must keep silent about it. */
export const ownArp: Rule = ({ config, facts }) => {
  const { addresses, failover } = facts
  if (!addresses.known || failover.length === 0) return []
  const own = goalsOf(config).find((goal) => goal.virtual.id.family === 4 && isOwn(goal, addresses.value))
  if (own === undefined) return []
  return look(facts.links, (links): readonly Remark[] => {
    const talks = links.filter(
      (link) => isOutside(link) && (inEffect(links, link, 'arpIgnore') < 1 || inEffect(links, link, 'arpAnnounce') < 2),
    )
    if (talks.length === 0) return []
    const message = `this machine is a real server by ${own.forwarding} and answers ARP for addresses that are only on lo`
    const why = `as a standby it keeps the virtual address on lo, and would draw clients away from the director that serves (${talks.map(({ name }) => name).join(', ')}).`
    const mend = mendHere('sysctl -w net.ipv4.conf.all.arp_ignore=1', 'sysctl -w net.ipv4.conf.all.arp_announce=2')
    return [finding('warning', 'own-arp', { at: own.at, message, why, mend })]
  })
}

/** What comes out of the tunnel has the client's address, whose way back is another interface. */
export const tunnelReversePath: Rule = ({ config, facts }) => {
  const { addresses } = facts
  if (!addresses.known) return []
  const own = goalsOf(config).find(
    (goal) => goal.virtual.id.family === 4 && goal.forwarding === 'ipip' && isOwn(goal, addresses.value),
  )
  if (own === undefined) return []
  return look(facts.links, (links): readonly Remark[] => {
    const tunnel = links.find(({ name }) => name === 'tunl0')
    if (tunnel === undefined || inEffect(links, tunnel, 'rpFilter') !== 1) return []
    const message = 'rp_filter of tunl0 is 1, and this machine is a real server by ipip'
    const why = 'packets that another director sends through the tunnel are dropped when they come out of it.'
    const mend = mendHere('sysctl -w net.ipv4.conf.all.rp_filter=2', 'sysctl -w net.ipv4.conf.tunl0.rp_filter=2')
    return [finding('warning', 'tunnel-rp-filter', { at: own.at, message, why, mend })]
  })
}

/** Strict filtering (RFC 3704) drops before IPVS sees the packet; it needs two ways to matter. */
export const strictReversePath: Rule = ({ config, facts }) => {
  const first = config.virtuals.find(({ id }) => id.family === 4)
  if (first === undefined) return []
  return look(facts.links, (links): readonly Remark[] => {
    const { addresses } = facts
    const attached = new Set(addresses.known ? addresses.value.attached.map(({ link }) => link) : [])
    const strict = links.filter(
      (link) => isOutside(link) && attached.has(link.name) && inEffect(links, link, 'rpFilter') === 1,
    )
    if (strict.length < 2) return []
    const message = `rp_filter is 1 (strict) on ${strict.map(({ name }) => name).join(', ')}`
    const why =
      'a packet that comes in by another interface than the one that leads back to its sender is dropped before IPVS sees it. Of no concern when each network has one way only.'
    return [
      finding('info', 'rp-filter', {
        at: first.at,
        message,
        why,
        mend: mendHere('sysctl -w net.ipv4.conf.all.rp_filter=2'),
      }),
    ]
  })
}
