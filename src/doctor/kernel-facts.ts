import { type Fact, known, type Link, type Modules, sysctlNames, unknownFact } from './facts.ts'
import { exists, MISSING, namesIn, readText } from './files.ts'

/** `6.1.176`. */
export async function readRelease(root: string): Promise<Fact<string>> {
  const text = await readText(root, '/proc/sys/kernel/osrelease')
  return text.known ? known(text.value.trim()) : text
}

/** What is in the kernel, and what modprobe would find in /lib/modules. */
export async function readModules(root: string, release: Fact<string>): Promise<Modules> {
  const [loaded, ipVs, disabled] = await Promise.all([
    readText(root, '/proc/modules'),
    exists(root, '/proc/net/ip_vs'),
    readText(root, '/proc/sys/kernel/modules_disabled'),
  ])
  const present = new Set(loaded.known ? loaded.value.split('\n').map((line) => normal(line.split(' ')[0] ?? '')) : [])
  for (const name of await namesIn(root, '/sys/module')) present.add(normal(name))
  if (ipVs) present.add('ip_vs')
  const builtin = release.known ? await namesOfFile(root, `/lib/modules/${release.value}/modules.builtin`) : release
  if (builtin.known) for (const name of builtin.value) present.add(name)
  present.delete('')
  const locked = disabled.known && disabled.value.trim() === '1'
  return { present, locked, loadable: await readLoadable(root, { release, hasIpVs: present.has('ip_vs'), loaded }) }
}

interface About {
  readonly release: Fact<string>
  readonly hasIpVs: boolean
  readonly loaded: Fact<string>
}

async function readLoadable(root: string, { release, hasIpVs, loaded }: About): Promise<Fact<ReadonlySet<string>>> {
  if (!release.known) return release
  const found = await namesOfFile(root, `/lib/modules/${release.value}/modules.dep`)
  if (found.known) return found
  // A kernel that takes no modules has what it has; which schedulers are built in, it does not say.
  const takesNone = !loaded.known && loaded.reason === MISSING && (await exists(root, '/proc/version'))
  return takesNone && !hasIpVs ? known(new Set<string>()) : found
}

/** Of `kernel/net/netfilter/ipvs/ip_vs.ko.xz: …` the name `ip_vs`. */
async function namesOfFile(root: string, path: string): Promise<Fact<ReadonlySet<string>>> {
  const text = await readText(root, path)
  if (!text.known) return text
  const names = text.value.split('\n').map((line) => /([^/]+)\.ko(\.\w+)?(:|$)/.exec(line)?.[1] ?? '')
  return known(new Set(names.filter((name) => name !== '').map(normal)))
}

function normal(name: string): string {
  return name.replaceAll('-', '_')
}

export async function readSysctls(root: string): Promise<ReadonlyMap<string, Fact<number>>> {
  const hasIpvs = await exists(root, '/proc/sys/net/ipv4/vs')
  const read = sysctlNames.map(async (name) => {
    const isIpvs = name.startsWith('net.ipv4.vs.')
    const fact = isIpvs && !hasIpvs ? noIpvsYet : await readNumber(root, `/proc/sys/${name.replaceAll('.', '/')}`)
    return [name, fact] as const
  })
  return new Map(await Promise.all(read))
}

const noIpvsYet = unknownFact('net.ipv4.vs.*', 'ip_vs is not loaded (modprobe ip_vs, then ask again)')

async function readNumber(root: string, path: string): Promise<Fact<number>> {
  const text = await readText(root, path)
  if (!text.known) return text
  const value = Number.parseInt(text.value, 10)
  return Number.isNaN(value) ? unknownFact(path, 'it holds no number') : known(value)
}

/** Every interface of this network namespace, and `all`. */
export async function readLinks(root: string): Promise<Fact<readonly Link[]>> {
  const folder = '/proc/sys/net/ipv4/conf'
  const names = await namesIn(root, folder)
  if (names.length === 0) return unknownFact(folder, 'it cannot be read')
  const found = await Promise.all(names.map((name) => readLink(root, folder, name)))
  return known(found.filter((link) => link !== undefined))
}

/** Undefined for one that went away while it was looked at. */
async function readLink(root: string, folder: string, name: string): Promise<Link | undefined> {
  const [rpFilter, arpIgnore, arpAnnounce] = await Promise.all(
    ['rp_filter', 'arp_ignore', 'arp_announce'].map((file) => readNumber(root, `${folder}/${name}/${file}`)),
  )
  if (rpFilter?.known !== true || arpIgnore?.known !== true || arpAnnounce?.known !== true) return undefined
  return { name, rpFilter: rpFilter.value, arpIgnore: arpIgnore.value, arpAnnounce: arpAnnounce.value }
}
