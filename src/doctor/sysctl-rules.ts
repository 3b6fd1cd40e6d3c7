import type { Virtual } from '../config/model.ts'
import type { Family } from '../model/service.ts'
import { type SysctlName, sysctl } from './facts.ts'
import { finding, look, type Mend, mendHere, type Remark, type Severity } from './finding.ts'
import { goalsOf, isLocal, list, nameOf, type Rule, type Subject } from './subject.ts'

/** Replies of a masqueraded real server pass through this machine as a router. */
export const forwarding: Rule = (subject) => [
  ...forwardingOf(subject, 4, 'net.ipv4.ip_forward'),
  ...forwardingOf(subject, 6, 'net.ipv6.conf.all.forwarding'),
]

function forwardingOf({ config, facts }: Subject, family: Family, name: SysctlName): readonly Remark[] {
  const { addresses } = facts
  const goals = goalsOf(config).filter(
    ({ forwarding: method, virtual, address }) =>
      method === 'masq' && virtual.id.family === family && !(addresses.known && isLocal(addresses.value, address)),
  )
  const [first] = goals
  if (first === undefined) return []
  return look(sysctl(facts, name), (value) => {
    if (value !== 0) return []
    const message = `${name} is 0, and masquerading is used by ${list(goals.map(({ virtual }) => nameOf(virtual)))}`
    const why = 'replies of the real servers come back through this machine, which throws them away: connections hang.'
    return [finding('error', 'forwarding', { at: first.at, message, why, mend: set(name, 1) })]
  })
}

interface Wish {
  readonly name: SysctlName
  readonly isWrong: (value: number) => boolean
  readonly right: number
  readonly severity: Severity
  readonly code: string
  readonly concerns: (virtual: Virtual) => boolean
  readonly message: (virtuals: string) => string
  readonly why: string
}

/** Documentation/networking/ipvs-sysctl.rst of the kernel says what each does. */
const wishes: readonly Wish[] = [
  {
    name: 'net.ipv4.vs.expire_quiescent_template',
    isWrong: (value) => value === 0,
    right: 1,
    severity: 'warning',
    code: 'expire-quiescent-template',
    concerns: ({ quiescent, settings }) => quiescent && settings.persistence !== undefined,
    message: (virtuals) => `expire_quiescent_template is 0, and ${virtuals} is quiescent and persistent`,
    why: 'a dead real server gets weight 0, and clients that were sent to it before are still sent to it until their persistence ends.',
  },
  {
    name: 'net.ipv4.vs.expire_nodest_conn',
    isWrong: (value) => value === 0,
    right: 1,
    severity: 'warning',
    code: 'expire-nodest-conn',
    concerns: ({ quiescent }) => !quiescent,
    message: (virtuals) => `expire_nodest_conn is 0, and ${virtuals} takes dead real servers out (quiescent = no)`,
    why: 'packets of connections to a real server that was taken out vanish without an answer: those clients hang until they time out, instead of connecting anew.',
  },
  {
    name: 'net.ipv4.vs.conn_reuse_mode',
    isWrong: (value) => value === 0,
    right: 1,
    severity: 'warning',
    code: 'conn-reuse-mode',
    concerns: ({ id }) => id.kind === 'fwmark' || id.protocol === 'tcp',
    message: (virtuals) => `conn_reuse_mode is 0, which concerns ${virtuals}`,
    why: 'a new connection from a client port that was in use a while ago goes to the same real server, also when that one is down or being drained.',
  },
]

/** Settings of IPVS that spoil what the file wants in the moment of a fault. */
export const ipvsSettings: Rule = ({ config, facts }) =>
  wishes.flatMap((wish): readonly Remark[] => {
    const { name, severity, code, why, right } = wish
    const concerned = config.virtuals.filter((virtual) => wish.concerns(virtual))
    const [first] = concerned
    if (first === undefined) return []
    return look(sysctl(facts, name), (value) => {
      if (!wish.isWrong(value)) return []
      const message = wish.message(list(concerned.map(nameOf)))
      return [finding(severity, code, { at: first.at, message, why, mend: set(name, right) })]
    })
  })

/** Without conntrack=1 IPVS hides its connections from connection tracking. */
export const conntrack: Rule = ({ config, facts }) => {
  const masqueraded = goalsOf(config).filter(({ forwarding: method }) => method === 'masq')
  const { firewall } = facts
  const families = ([4, 6] as const).filter((family) => masqueraded.some(({ virtual }) => virtual.id.family === family))
  if (families.length === 0) return []
  return look(sysctl(facts, 'net.ipv4.vs.conntrack'), (value) => {
    if (value !== 0) return []
    return families.flatMap((family): readonly Remark[] => {
      const at = masqueraded.find(({ virtual }) => virtual.id.family === family)?.at
      if (at === undefined) return []
      const { stateful, blind } = firewall[family]
      if (!stateful)
        return blind === undefined ? [] : [{ kind: 'unseen', what: `the IPv${family} packet filter`, reason: blind }]
      const message = `net.ipv4.vs.conntrack is 0, and the IPv${family} packet filter looks at connections or rewrites addresses`
      const why =
        'such rules do not know the connections that IPVS masquerades: replies count as invalid, and SNAT or MASQUERADE do nothing to them. Of no concern when no such rule is meant for this traffic.'
      return [finding('warning', 'conntrack', { at, message, why, mend: set('net.ipv4.vs.conntrack', 1) })]
    })
  })
}

/** Before Linux 5.9 a rescheduled connection lost its first packet when it was tracked (kernel f719e3754ee2). */
export const reuseDelay: Rule = ({ config, facts }) => {
  const [first] = config.virtuals.filter(({ id }) => id.kind === 'fwmark' || id.protocol === 'tcp')
  const [tracked, reuse] = [sysctl(facts, 'net.ipv4.vs.conntrack'), sysctl(facts, 'net.ipv4.vs.conn_reuse_mode')]
  if (first === undefined || !tracked.known || !reuse.known || !facts.kernel.known) return []
  if (tracked.value === 0 || reuse.value === 0 || !isBefore(facts.kernel.value, 5, 9)) return []
  const message = `conntrack and conn_reuse_mode are both on, and this kernel is ${facts.kernel.value}`
  const why =
    'before Linux 5.9, unless it was mended by the distribution, a client that uses a port again loses its first packet and waits a second. A newer kernel helps; conn_reuse_mode = 0 would send it to the old real server instead.'
  return [finding('info', 'reuse-delay', { at: first.at, message, why })]
}

function isBefore(release: string, major: number, minor: number): boolean {
  const [, a = '', b = ''] = /^(\d+)\.(\d+)/.exec(release) ?? []
  if (a === '') return false
  return Number(a) < major || (Number(a) === major && Number(b) < minor)
}

function set(name: SysctlName, value: number): Mend {
  return mendHere(`sysctl -w ${name}=${value}`)
}
