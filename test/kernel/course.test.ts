import { strict as assert } from 'node:assert'
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipBecause } from '../tools/skip.ts'
import type { Answer } from './lab/agent.ts'
import { attend, type RunningDaemon, startDaemon, tableBecomes, writeConfig } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import type { Host } from './lab/host.ts'
import { masqTopology, type Topology } from './lab/topology.ts'

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const key = 'body' in answer ? answer.body : answer.error
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** The three configurations with which an LVS course sends its pupils home, on the addresses of the lab. */
describe('the sample configurations of an LVS course', function () {
  this.timeout(120_000)
  let lab: Topology

  beforeEach(async () => {
    lab = await masqTopology()
  })
  afterEach(() => lab.close())

  it('HTTP with a fallback', async () => {
    const { director, client, reals, realAddresses, vip } = lab
    const [r1, r2] = realAddresses
    const config = writeConfig(`
# Global Directives
checktimeout=3
checkinterval=1
autoreload=yes
quiescent=no

# Virtual Server for HTTP
virtual=${vip}:80
        real=${r1}:80 masq
        real=${r2}:80 masq
        fallback=127.0.0.1:80 gate
        service=http
        request="index.html"
        receive="Test Page"
        scheduler=rr
        protocol=tcp
        checktype=negotiate
`)
    await Promise.all(reals.map((real, at) => real.tell('serve', { port: 80, says: `Test Page of r${at + 1}` })))
    await director.tell('serve', { port: 80, says: 'sorry' })
    const daemon = startDaemon(director, config)
    const tableOf = (...lines: readonly string[]): string =>
      `-A -t ${vip}:80 -s rr\n${lines.map((line) => `-a -t ${vip}:80 -r ${line}\n`).join('')}`
    const [one, two] = [`${r1}:80 -m -w 1`, `${r2}:80 -m -w 1`]
    await tableBecomes(director, tableOf(one, two), { daemon, withinMs: 30_000 })
    const url = `http://${vip}/`
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 6 })), {
      'Test Page of r1': 3,
      'Test Page of r2': 3,
    })
    // The first still answers, but not with the page that is asked for.
    await reals[0].tell('silence', { port: 80 })
    await reals[0].tell('serve', { port: 80, says: 'It works!' })
    await tableBecomes(director, tableOf(two), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 6 })), { 'Test Page of r2': 6 })
    await reals[1].tell('silence', { port: 80 })
    await tableBecomes(director, tableOf('127.0.0.1:80 -g -w 1'), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 6 })), { sorry: 6 })
    await reals[1].tell('serve', { port: 80, says: 'Test Page of r2' })
    await tableBecomes(director, tableOf(two), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 6 })), { 'Test Page of r2': 6 })
  })

  it('a firewall mark with weights 2 and 1', async () => {
    const { director, client, reals, realAddresses, vip } = lab
    const [r1, r2] = realAddresses
    const config = writeConfig(`
checktimeout=3
checkinterval=1
quiescent=yes

virtual=1
        real=${r1} masq 2
        real=${r2} masq 1
        service=http
        scheduler=wrr
        checktype=negotiate
        checkport=80
        request="/"
        receive="r"
`)
    for (const [at, real] of reals.entries()) {
      for (const port of [80, 443]) await real.tell('serve', { port, says: `r${at + 1}` })
    }
    await director.must(
      ...(['iptables-legacy', '-t', 'mangle', '-A', 'PREROUTING', '-d', vip, '-p', 'tcp'] as const),
      ...['-m', 'multiport', '--dports', '80,443', '-j', 'MARK', '--set-mark', '1'],
    )
    const daemon = startDaemon(director, config)
    const tableOf = (first: number, second: number): string => `-A -f 1 -s wrr
      -a -f 1 -r ${r1}:0 -m -w ${first}
      -a -f 1 -r ${r2}:0 -m -w ${second}`
    await tableBecomes(director, tableOf(2, 1), { daemon, withinMs: 30_000 })
    for (const port of [80, 443]) {
      const answers = await client.tell('fetch', { url: `http://${vip}:${port}/`, times: 9 })
      assert.deepEqual(tally(answers), { r1: 6, r2: 3 })
    }
    await reals[0].tell('silence', { port: 80 })
    await tableBecomes(director, tableOf(0, 1), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url: `http://${vip}/`, times: 6 })), { r2: 6 })
    await reals[0].tell('serve', { port: 80, says: 'r1' })
    await tableBecomes(director, tableOf(2, 1), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url: `http://${vip}:443/`, times: 9 })), { r1: 6, r2: 3 })
  })

  it('MySQL, before two real MariaDB servers', async function () {
    if (!existsSync('/usr/sbin/mariadbd') || !existsSync('/usr/bin/mariadb')) {
      skipBecause(this, 'there is no mariadbd: apt-get install mariadb-server-core mariadb-client-core')
    }
    const { director, client, reals, realAddresses, vip } = lab
    const [r1, r2] = realAddresses
    const data = await makeData(director)
    const directories = reals.map(() => copyOf(data))
    const run = (at: number): Promise<RunningDaemon> => startMariadb(reals[at] ?? director, directories[at] ?? '')
    const databases = await Promise.all(reals.map((_, at) => run(at)))
    await Promise.all(directories.map((directory, at) => fill(director, { directory, name: `r${at + 1}` })))
    const config = writeConfig(`
checktimeout=10
negotiatetimeout=10
checkinterval=1
quiescent=no

virtual=${vip}:3306
        real=${r1}:3306 masq
        real=${r2}:3306 masq
        service=mysql
        login="probe"
        passwd="secret"
        database="ldirectord"
        request="SELECT * FROM alive"
        scheduler=rr
        protocol=tcp
        checktype=negotiate
`)
    const daemon = startDaemon(director, config)
    const tableOf = (...addresses: readonly string[]): string =>
      `-A -t ${vip}:3306 -s rr\n${addresses.map((each) => `-a -t ${vip}:3306 -r ${each}:3306 -m -w 1\n`).join('')}`
    const ask = async (): Promise<string> => {
      const words = ['--no-defaults', '-h', vip, '-uprobe', '-psecret', '--connect-timeout=10', '-N', 'ldirectord']
      return (await client.must('mariadb', ...words, '-e', 'select name from alive')).trim()
    }
    await tableBecomes(director, tableOf(r1, r2), { daemon, withinMs: 40_000 })
    assert.deepEqual([await ask(), await ask()].sort(), ['r1', 'r2'])
    const [first] = databases
    first?.signal('SIGKILL')
    await tableBecomes(director, tableOf(r2), { daemon, withinMs: 30_000 })
    assert.deepEqual([await ask(), await ask()], ['r2', 'r2'])
    await run(0)
    await tableBecomes(director, tableOf(r1, r2), { daemon, withinMs: 30_000 })
    assert.deepEqual([await ask(), await ask()].sort(), ['r1', 'r2'])
    assert.match(daemon.log(), new RegExp(`Deleted real server: ${r1.replaceAll('.', '\\.')}:3306`))
  })
})

/** Small, and with an upper bound of memory: newer versions reserve 8 TB of addresses, which the lab does not have. */
const small = [
  ...['--loose-innodb-buffer-pool-size-max=16M', '--innodb-buffer-pool-size=8M', '--innodb-log-file-size=4M'],
  ...['--innodb-flush-log-at-trx-commit=0', '--performance-schema=0', '--skip-name-resolve', '--user=root'],
]

/** An empty database, made once and copied. */
async function makeData(host: Host): Promise<string> {
  const data = join(mkdtempSync(join(tmpdir(), 'db-')), 'data')
  mkdirSync(data)
  const words = ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=normal']
  await host.must('mariadb-install-db', ...words, ...small)
  return data
}

function copyOf(data: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'db-'))
  cpSync(data, join(directory, 'data'), { recursive: true })
  return directory
}

const socketIn = (directory: string): readonly string[] => ['--no-defaults', `--socket=${directory}/s`, '-uroot', '-e']

async function startMariadb(host: Host, directory: string): Promise<RunningDaemon> {
  const own = [`--datadir=${directory}/data`, `--socket=${directory}/s`, `--pid-file=${directory}/pid`]
  const server = attend(host.spawn('mariadbd', ['--no-defaults', ...own, ...small]))
  const isReady = async (): Promise<true | undefined> => {
    const { code } = await host.run('mariadb', ...socketIn(directory), 'select 1')
    return code === 0 ? true : undefined
  }
  await eventually(`MariaDB of ${host.name}`, isReady, { withinMs: 60_000, everyMs: 500 }, () => server.log())
  return server
}

/** The table that is asked for, which says the server's name; the account may come from anywhere. */
async function fill(host: Host, { directory, name }: { directory: string; name: string }): Promise<void> {
  const sql = `create database ldirectord; create table ldirectord.alive (name varchar(9));
    insert into ldirectord.alive values ('${name}');
    create user probe@'%' identified by 'secret'; grant select on ldirectord.* to probe@'%'`
  await host.must('mariadb', ...socketIn(directory), sql)
}
