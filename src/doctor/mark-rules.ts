import { addAddress } from './address-rules.ts'
import type { Firewall } from './facts.ts'
import { finding, type Remark } from './finding.ts'
import { isLocal, type Rule } from './subject.ts'

/** A virtual service of a mark gets the packets that some rule marks, and no others. */
export const firewallMarks: Rule = ({ config, facts }) =>
  config.virtuals.flatMap(({ id, at }): readonly Remark[] => {
    if (id.kind !== 'fwmark') return []
    const firewall = facts.firewall[id.family]
    if (firewall.marks.some((rule) => gives(rule, id.mark))) return []
    const what = `whether a rule sets the IPv${id.family} mark ${id.mark}`
    const reason = whyUncertain(firewall)
    if (reason !== undefined) return [{ kind: 'unseen', what, reason }]
    const message = `no rule of the IPv${id.family} packet filter sets the mark ${id.mark}`
    const why =
      'no packet ever belongs to this virtual service. (Rules of tc and BPF programs were not looked at.) Fill in the address and the ports:'
    const program = id.family === 6 ? 'ip6tables' : 'iptables'
    const command = `${program} -t mangle -A PREROUTING -d ADDRESS -p tcp -m multiport --dports PORTS -j MARK --set-mark ${id.mark}`
    return [finding('error', 'mark', { at, message, why, mend: { on: 'this machine', commands: [command] } })]
  })

/** Also what is marked must be delivered here: IPVS looks at no packet that is only routed. */
export const markedAddresses: Rule = ({ config, facts: { firewall, addresses, failover } }) => {
  if (!addresses.known) return []
  const { value: here } = addresses
  return config.virtuals.flatMap(({ id, at }): readonly Remark[] => {
    if (id.kind !== 'fwmark' || here.doubt[id.family] !== undefined) return []
    const marked = firewall[id.family].marks.filter((rule) => gives(rule, id.mark)).flatMap(({ to }) => to ?? [])
    const absent = new Set(marked.filter((address) => !isLocal(here, address)))
    return [...absent].map((address) => {
      const message = `the mark ${id.mark} is set for ${address}, which is on no interface of this machine`
      const standby =
        failover.length === 0 ? '' : ` Of no concern on a standby: ${failover.join(' and ')} is set up here.`
      const why = `what the kernel does not deliver here it routes on, and IPVS does not see it. Of no concern with a route of the mark's own (ip rule add fwmark ${id.mark} lookup TABLE; ip route add local default dev lo table TABLE).${standby}`
      const parts = { at, message, why }
      return finding(
        'warning',
        'mark-address',
        failover.length > 0 ? parts : { ...parts, mend: addAddress(address, here) },
      )
    })
  })
}

function whyUncertain({ blind, computed }: Firewall): string | undefined {
  return blind ?? (computed ? 'a rule takes its mark from a map or a hash' : undefined)
}

/** A rule of some bits may complete the mark together with others. */
function gives({ value, mask }: { readonly value: number; readonly mask: number }, mark: number): boolean {
  const set = (value & mask) >>> 0
  return set === (mark & mask) >>> 0 && (set !== 0 || mark === 0 || mask === 0xffffffff)
}
