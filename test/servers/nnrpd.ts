import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { skipBecause } from '../tools/skip.ts'
import { type RunningServer, type Site, startServer } from './harness.ts'
import { greets } from './talk.ts'

const execute = promisify(execFile)

/** Where the packages are unpacked to; git ignores it. */
const cache = resolve('.cache/inn2')

/** Libraries that a machine without a news server may lack. */
const libraries = /^\s*Depends: (lib(?:canlock|db|expat|perl|python|sasl)\S*)$/gm

/** Skips the suite where the news reader daemon cannot be fetched. */
export async function fetchNnrpd(context: Mocha.Context): Promise<void> {
  const reason = await unpackNnrpd()
  if (reason !== undefined) skipBecause(context, reason)
}

/**
 * The news reader daemon of the package inn2. Installing that fails on a machine whose host name is not fully
 * qualified, so it is fetched and unpacked, once. Gives the reason when it cannot be fetched.
 */
export async function unpackNnrpd(): Promise<string | undefined> {
  if (existsSync(cache)) return undefined
  const scratch = await mkdtemp(join(tmpdir(), 'ldng-inn2-'))
  try {
    const { stdout } = await execute('apt-cache', ['depends', 'inn2'])
    const needed = [...stdout.matchAll(libraries)].map(([, name]) => name ?? '')
    await execute('apt-get', ['download', 'inn2', 'inn2-inews', ...needed], { cwd: scratch, timeout: 60_000 })
    const unpacked = join(scratch, 'unpacked')
    for (const file of (await readdir(scratch)).filter((name) => name.endsWith('.deb'))) {
      await execute('dpkg', ['-x', join(scratch, file), unpacked])
    }
    await mkdir(resolve(cache, '..'), { recursive: true })
    await cp(unpacked, `${cache}.new`, { recursive: true, verbatimSymlinks: true })
    await rename(`${cache}.new`, cache)
    return undefined
  } catch (error) {
    return `inn2 cannot be fetched: ${String(error).split('\n')[0]}`
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

export interface Nnrpd extends RunningServer {
  readonly port: number
}

/** nnrpd on one loopback address, with an empty group. Without `overview` it greets with 400: it has none to read. */
export async function startNnrpd(host: '127.0.0.1' | '::1', { overview = true } = {}): Promise<Nnrpd> {
  const server = await startServer({
    program: 'env',
    ports: 1,
    prepare: (site) => prepare(site, overview),
    args: (site) => {
      const family = host === '::1' ? '-6' : '-4'
      const options = ['-D', '-f', family, host, '-p', String(site.ports[0]), '-c', 'readers.conf']
      return [...environment(site), program(site, 'nnrpd'), ...options]
    },
    isReady: ({ ports: [port = 0] }) => greets(host, port, overview ? '200 ' : '400 '),
  })
  const [port = 0] = server.ports
  return { ...server, port }
}

async function prepare(site: Site, overview: boolean): Promise<void> {
  const { directory, run } = site
  // The account of the server may not be able to enter the folder of the cache.
  await cp(cache, join(directory, 'inn'), { recursive: true, verbatimSymlinks: true })
  const folders = ['db', 'etc', 'run', 'log', 'tmp', 'spool', 'spool/overview', 'spool/articles']
  await run('env', ['mkdir', ...folders.map((name) => join(directory, name))])
  const account = (await run('env', ['id', '-un'])).trim()
  const group = (await run('env', ['id', '-gn'])).trim()
  const files: readonly [name: string, text: string][] = [
    ['etc/inn.conf', config(site, account, group)],
    [
      'etc/readers.conf',
      'auth all {\n  hosts: "*"\n  default: "<anon>"\n}\naccess all {\n  users: "*"\n  newsgroups: "*"\n  access: RPA\n}\n',
    ],
    ['etc/storage.conf', 'method tradspool {\n  newsgroups: *\n  class: 0\n}\n'],
    [
      'db/active',
      'control 0000000000 0000000001 n\njunk 0000000000 0000000001 n\nlocal.test 0000000000 0000000001 y\n',
    ],
    ['db/newsgroups', ''],
    ['db/active.times', ''],
    ['db/history', ''],
  ]
  for (const [name, text] of files) await writeFile(join(directory, name), text)
  if (overview) await run('env', [...environment(site), program(site, 'tdx-util'), '-c', '-n', 'local.test'])
}

function program({ directory }: Site, name: string): string {
  return join(directory, 'inn/usr/lib/news/bin', name)
}

function environment({ directory }: Site): readonly string[] {
  const unpacked = join(directory, 'inn/usr/lib')
  const folders = [join(unpacked, 'news'), ...['x86_64', 'aarch64'].map((each) => join(unpacked, `${each}-linux-gnu`))]
  return [`INNCONF=${directory}/etc/inn.conf`, `LD_LIBRARY_PATH=${folders.join(':')}`]
}

/** The port stands in it too: any other would be bound through a helper with rights that an unpacked copy lacks. */
function config({ directory, ports: [port] }: Site, account: string, group: string): string {
  return `mta: "/bin/false %s"
organization: "probe"
ovmethod: tradindexed
hismethod: hisv6
pathhost: news.example.test
domain: example.test
port: ${port}
pathnews: ${directory}/inn/usr/lib/news
pathbin: ${directory}/inn/usr/lib/news/bin
pathfilter: ${directory}/tmp
pathdb: ${directory}/db
pathetc: ${directory}/etc
pathrun: ${directory}/run
pathlog: ${directory}/log
pathhttp: ${directory}/log
pathtmp: ${directory}/tmp
pathspool: ${directory}/spool
patharticles: ${directory}/spool/articles
pathoverview: ${directory}/spool/overview
runasuser: ${account}
runasgroup: ${group}
`
}
