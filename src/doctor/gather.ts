import type { Config } from '../config/model.ts'
import type { Family } from '../model/service.ts'
import { readAddresses } from './address-facts.ts'
import type { Facts, Firewall } from './facts.ts'
import { exists, lookAtConfig, lookAtProgram } from './files.ts'
import { joinRules, type Rules, readRuleset, readSaved } from './firewall.ts'
import { readLinks, readModules, readRelease, readSysctls } from './kernel-facts.ts'
import type { Machine } from './machine.ts'
import { programsOf } from './program-rules.ts'

/** Looks at the machine, as far as this configuration makes it worth while. Changes nothing, never rejects. */
export async function gather(machine: Machine, config: Config): Promise<Facts> {
  const { root, path } = machine
  const kernel = await readRelease(root)
  const programs = programsOf(config).map(async (name) => [name, await lookAtProgram(root, name, path)] as const)
  return {
    kernel,
    modules: await readModules(root, kernel),
    sysctls: await readSysctls(root),
    links: await readLinks(root),
    addresses: await readAddresses(machine),
    firewall: await readFirewall(machine, config),
    programs: new Map(await Promise.all(programs)),
    configFile: await lookAtConfig(root, config.file),
    failover: await readFailover(root),
    hasUnit: (await firstThere(root, unitFiles)).length > 0,
    clock: { nowMs: machine.nowMs(), keepers: await readKeepers(root) },
  }
}

const notAsked = { marks: [], computed: false, stateful: false, blind: 'it was not asked for' }

/** Only where a mark or masquerading asks for it: a listing of many rules takes its time. */
async function readFirewall(machine: Machine, { virtuals }: Config): Promise<Facts['firewall']> {
  const asks = ({ id, reals }: Config['virtuals'][number]): boolean =>
    id.kind === 'fwmark' || reals.some(({ forwarding }) => forwarding === 'masq')
  if (!virtuals.some(asks)) return { 4: notAsked, 6: notAsked }
  const saved = { 4: 'iptables', 6: 'ip6tables' } as const
  const nft = await listing(machine, 'nft', ['list', 'ruleset'], readRuleset)
  const of = async (family: Family): Promise<Firewall> => {
    const names = ['save', 'legacy-save', 'nft-save'].map((end) => `${saved[family]}-${end}`)
    const lists = await Promise.all(names.map((name) => listing(machine, name, [], readSaved)))
    const ofNft = 'rules' in nft ? { rules: nft.rules[family] } : nft
    return combine([...lists, ofNft])
  }
  return { 4: await of(4), 6: await of(6) }
}

type Listing<T> = { readonly rules: T } | { readonly blind: string } | { readonly absent: true }

async function listing<T>(
  machine: Machine,
  program: string,
  args: readonly string[],
  read: (text: string) => T,
): Promise<Listing<T>> {
  const ran = await machine.run(program, args)
  if (ran.kind === 'absent') return { absent: true }
  if (ran.kind === 'failed') return { blind: ran.reason }
  if (ran.stdout.trim() === '' && !machine.isRoot) return { blind: `${program} shows its rules to root only` }
  return { rules: read(ran.stdout) }
}

/** One program may be blind to what another sees, so any of them that fails leaves a doubt. */
function combine(lists: readonly Listing<Rules>[]): Firewall {
  const seen = lists.flatMap((each) => ('rules' in each ? [each.rules] : []))
  const blind = lists.flatMap((each) => ('blind' in each ? [each.blind] : []))
  const joined = seen.reduce(joinRules, { marks: [], computed: false, stateful: false })
  const none = seen.length === 0 ? 'neither iptables-save nor nft is installed' : undefined
  return { ...joined, blind: blind[0] ?? none }
}

/** What moves addresses between directors, by a file that is there when it is set up. */
const failoverFiles: readonly (readonly [string, readonly string[]])[] = [
  ['keepalived', ['/etc/keepalived/keepalived.conf', '/run/keepalived.pid', '/run/keepalived/keepalived.pid']],
  ['Pacemaker', ['/etc/corosync/corosync.conf', '/var/lib/pacemaker/cib/cib.xml']],
  ['heartbeat', ['/etc/ha.d/haresources', '/etc/ha.d/ha.cf']],
  ['ucarp', ['/etc/ucarp/vip-001.conf']],
]

const unitFiles: readonly (readonly [string, readonly string[]])[] = [
  ['systemd', ['/etc', '/usr/lib', '/lib'].map((folder) => `${folder}/systemd/system/ldirectord-ng.service`)],
]

async function readFailover(root: string): Promise<readonly string[]> {
  return await firstThere(root, failoverFiles)
}

const keeperFiles: readonly (readonly [string, readonly string[]])[] = [
  ['chrony', ['/run/chrony/chronyd.pid', '/run/chronyd.pid', '/run/chrony/chronyd.sock']],
  ['systemd-timesyncd', ['/run/systemd/timesync/synchronized']],
  ['ntpd', ['/run/ntpd.pid', '/var/run/ntpd.pid', '/run/ntpsec/ntpd.pid']],
  ['OpenNTPD', ['/run/ntpd.sock', '/var/run/ntpd.sock']],
]

/** In a container the clock is the host's. */
async function readKeepers(root: string): Promise<readonly string[]> {
  const keepers = await firstThere(root, keeperFiles)
  const isContainer = (await exists(root, '/.dockerenv')) || (await exists(root, '/run/.containerenv'))
  return isContainer ? [...keepers, "the container's host"] : keepers
}

async function firstThere(
  root: string,
  table: readonly (readonly [string, readonly string[]])[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    table.map(async ([name, files]) => {
      const there = await Promise.all(files.map((file) => exists(root, file)))
      return there.includes(true) ? [name] : []
    }),
  )
  return found.flat()
}
