import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { lookUpNames } from '../../src/config/names.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { type Examination, examine } from '../../src/doctor/examine.ts'
import { type Fact, type Facts, known, sysctlNames } from '../../src/doctor/facts.ts'
import type { Subject } from '../../src/doctor/subject.ts'
import { goldenDeps, stubLookup } from '../config/golden-world.ts'

/** Of all checks, as the program has them. */
const deps = { ...goldenDeps, registry: makeRegistry(checks) }
export const file = '/etc/ha.d/ldirectord.cf'

/** A director on which everything is as IPVS wants it: 192.0.2.10, .11 and 2001:db8::10 are its virtual addresses. */
export function goodFacts(): Facts {
  return {
    kernel: known('6.1.0'),
    modules: {
      present: new Set(['ip_vs', 'ip_vs_ftp', 'ip_vs_wrr']),
      loadable: known(new Set(['ip_vs', 'ip_vs_ftp', 'ip_vs_wrr', 'ip_vs_rr'])),
      locked: false,
    },
    sysctls: sysctls({ 'net.ipv4.vs.backup_only': 0 }),
    links: known([link('all', 0), link('lo', 0), link('eth0', 0), link('eth1', 0)]),
    addresses: known({
      local: [
        { address: '192.0.2.1', prefix: 32 },
        { address: '192.0.2.10', prefix: 32 },
        { address: '192.0.2.11', prefix: 32 },
        { address: '2001:db8::10', prefix: 128 },
      ],
      attached: [
        { link: 'lo', address: '127.0.0.1', prefix: 8 },
        { link: 'eth0', address: '192.0.2.1', prefix: 24 },
        { link: 'eth1', address: '10.0.0.1', prefix: 8 },
        { link: 'eth1', address: '2001:db8::1', prefix: 64 },
      ],
      doubt: { 4: undefined, 6: undefined },
    }),
    firewall: { 4: noFirewall(), 6: noFirewall() },
    programs: new Map(['ping', 'perl', '/bin/true'].map((name) => [name, known({ kind: 'file', mode: 0o755 })])),
    configFile: known({ mode: 0o640, uid: 0, gid: 0, mtimeMs: 1_000_000_000_000 }),
    failover: [],
    hasUnit: false,
    clock: { nowMs: 1_700_000_000_000, keepers: ['chrony'] },
  }
}

export function noFirewall(): Facts['firewall'][4] {
  return { marks: [], computed: false, stateful: false, blind: undefined }
}

/** All of them 1, but for these. */
export function sysctls(other: Readonly<Record<string, number>>): ReadonlyMap<string, Fact<number>> {
  return new Map(sysctlNames.map((name) => [name, known(other[name] ?? 1)]))
}

export function link(name: string, rpFilter: number, arp: readonly [number, number] = [0, 0]) {
  const [arpIgnore, arpAnnounce] = arp
  return { name, rpFilter, arpIgnore, arpAnnounce }
}

/** Read by the real parser; a fault of the text is a fault of the test. */
export async function subjectOf(text: string, facts: Facts): Promise<Subject> {
  const { parsed, diagnostics } = parseConfig(text, file, deps)
  if (parsed === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '))
  const { config } = resolveConfig(parsed, await lookUpNames([], stubLookup))
  if (config === undefined) throw new Error('not resolved')
  return { config, text, facts }
}

export async function examineText(text: string, change: Partial<Facts> = {}): Promise<Examination> {
  return examine(await subjectOf(text, { ...goodFacts(), ...change }))
}

/** `error forwarding 3`: severity, code and line, and what was not looked at; the lines for real servers are left out. */
export async function verdictOf(text: string, change: Partial<Facts> = {}): Promise<readonly string[]> {
  const { findings, unseen } = await examineText(text, change)
  return [
    ...findings
      .filter(({ code }) => code !== 'real-servers')
      .map(({ severity, code, at }) => `${severity} ${code} ${at.line}`),
    ...unseen.map(({ what }) => `unseen ${what}`),
  ]
}
