import type { Firewall } from './facts.ts'
import { finding, type Remark } from './finding.ts'
import type { Rule } from './subject.ts'

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

function whyUncertain({ blind, computed }: Firewall): string | undefined {
  return blind ?? (computed ? 'a rule takes its mark from a map or a hash' : undefined)
}

/** A rule of some bits may complete the mark together with others. */
function gives({ value, mask }: { readonly value: number; readonly mask: number }, mark: number): boolean {
  const set = (value & mask) >>> 0
  return set === (mark & mask) >>> 0 && (set !== 0 || mark === 0 || mask === 0xffffffff)
}
