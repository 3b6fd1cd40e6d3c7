import type { Family } from '../model/service.ts'

/** Something the machine says, or why it could not be looked at. */
export type Fact<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly what: string; readonly reason: string }

export const known = <T>(value: T): Fact<T> => ({ known: true, value })
export const unknownFact = (what: string, reason: string): Fact<never> => ({ known: false, what, reason })

/** What one machine says of itself; a value, so that rules need no machine. */
export interface Facts {
  /** `6.1.176`, of /proc/sys/kernel/osrelease. */
  readonly kernel: Fact<string>
  readonly modules: Modules
  /** By name, `net.ipv4.ip_forward`; those of `sysctlNames`. */
  readonly sysctls: ReadonlyMap<string, Fact<number>>
  /** Network interfaces and `all`, with the settings that count per interface. */
  readonly links: Fact<readonly Link[]>
  readonly addresses: Fact<Addresses>
  readonly firewall: Readonly<Record<Family, Firewall>>
  /** By path or name, those of `programsOf`. */
  readonly programs: ReadonlyMap<string, Fact<ProgramFile>>
  readonly configFile: Fact<ConfigFile>
  /** Programs that move a virtual address between directors, as far as one is set up here: `keepalived` … */
  readonly failover: readonly string[]
  readonly clock: ClockFacts
  /** The daemon's systemd unit is installed, with its cage. */
  readonly hasUnit: boolean
}

export interface Modules {
  /** In the kernel now, built in or loaded; names with underscores. */
  readonly present: ReadonlySet<string>
  /** What modprobe would find. */
  readonly loadable: Fact<ReadonlySet<string>>
  /** kernel.modules_disabled is set: nothing more is loaded until the next boot. */
  readonly locked: boolean
}

export interface Link {
  readonly name: string
  readonly rpFilter: number
  readonly arpIgnore: number
  readonly arpAnnounce: number
}

export interface Addresses {
  /** What the kernel delivers here: single addresses, and networks of `ip route add local`. */
  readonly local: readonly Network[]
  /** Networks that interfaces are in, for the choice of one. */
  readonly attached: readonly (Network & { readonly link: string })[]
  /** Why more may be delivered here than is known, by family. */
  readonly doubt: Readonly<Record<Family, string | undefined>>
}

export interface Network {
  /** In normal form. */
  readonly address: string
  readonly prefix: number
}

/** What the packet filter does in one family. */
export interface Firewall {
  readonly marks: readonly MarkRule[]
  /** A rule takes its mark from a map, a hash or the like: it may be any. */
  readonly computed: boolean
  /** Some rule looks at the state of connections or rewrites addresses. */
  readonly stateful: boolean
  /** Why there may be rules that were not seen; undefined when all were. */
  readonly blind: string | undefined
}

/** A rule that gives the bits of `mask` the value `value`. */
export interface MarkRule {
  readonly value: number
  readonly mask: number
  /** The one address that packets must go to, if the rule says it plainly. */
  readonly to?: string
}

export type ProgramFile =
  | { readonly kind: 'file'; readonly mode: number }
  | { readonly kind: 'no-file' }
  | { readonly kind: 'missing' }

export interface ConfigFile {
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeMs: number
}

export interface ClockFacts {
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** Who keeps it right, as far as can be seen: `chrony` … */
  readonly keepers: readonly string[]
}

export const sysctlNames = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv4.vs.backup_only',
  'net.ipv4.vs.conn_reuse_mode',
  'net.ipv4.vs.conntrack',
  'net.ipv4.vs.expire_nodest_conn',
  'net.ipv4.vs.expire_quiescent_template',
] as const

export type SysctlName = (typeof sysctlNames)[number]

export function sysctl(facts: Facts, name: SysctlName): Fact<number> {
  return facts.sysctls.get(name) ?? unknownFact(name, 'it was not read')
}

export type ModuleState = 'present' | 'loadable' | 'absent'

export function moduleState({ modules }: Facts, name: string): Fact<ModuleState> {
  if (modules.present.has(name)) return known('present')
  if (modules.locked) return known('absent')
  const { loadable } = modules
  if (!loadable.known) return loadable
  return known(loadable.value.has(name) ? 'loadable' : 'absent')
}
