import { strict as assert } from 'node:assert'
import type { Answer, Fetched } from './lab/agent.ts'
import { tally } from './lab/answers.ts'
import { startDaemon, tableBecomes, writeConfig } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import type { Host } from './lab/host.ts'
import { gateTopology, masqTopology, type Topology } from './lab/topology.ts'

const said = (answers: readonly Answer[]): string[] => Object.keys(tally(answers)).sort()
const errors = (answers: readonly Fetched[]): Fetched[] => answers.filter((answer) => 'error' in answer)
const begun =
  (from: number) =>
  ({ startedAt }: Fetched): boolean =>
    startedAt >= from

const quick = `checktimeout=5
negotiatetimeout=5
checkinterval=1
`

describe('what a client gets through the virtual address', function () {
  this.timeout(120_000)
  let lab: Topology | undefined

  afterEach(async () => {
    await lab?.close()
    lab = undefined
  })

  for (const { name, make, forwarding } of [
    { name: 'masquerading', make: masqTopology, forwarding: 'masq' },
    { name: 'direct routing', make: gateTopology, forwarding: 'gate' },
  ]) {
    it(`${name}: no request fails after a dead server is out; the sorry page comes with the last death and goes with the first return`, async () => {
      lab = await make()
      await failover(lab, forwarding)
    })
  }

  it('a firewall mark over ports 80 and 443 keeps one client on one server', async () => {
    lab = await masqTopology()
    const { director, vip } = lab
    await director.must(
      ...(['iptables-legacy', '-t', 'mangle', '-A', 'PREROUTING', '-d', vip, '-p', 'tcp'] as const),
      ...['-m', 'multiport', '--dports', '80,443', '-j', 'MARK', '--set-mark', '5'],
    )
    await sticksTo(lab, {
      config: `virtual=5
    real=${lab.realAddresses[0]} masq
    real=${lab.realAddresses[1]} masq
    service=http
    checkport=80
    scheduler=rr
    persistent=300
`,
      table: `-A -f 5 -s rr -p 300
      -a -f 5 -r ${lab.realAddresses[0]}:0 -m -w 1
      -a -f 5 -r ${lab.realAddresses[1]}:0 -m -w 1`,
    })
  })

  it('port 0 with persistence keeps one client on one server over all ports', async () => {
    lab = await masqTopology()
    await sticksTo(lab, {
      config: `virtual=${lab.vip}:0
    real=${lab.realAddresses[0]}:0 masq
    real=${lab.realAddresses[1]}:0 masq
    service=http
    checkport=80
    scheduler=rr
    persistent=300
`,
      table: `-A -t ${lab.vip}:0 -s rr -p 300
      -a -t ${lab.vip}:0 -r ${lab.realAddresses[0]}:0 -m -w 1
      -a -t ${lab.vip}:0 -r ${lab.realAddresses[1]}:0 -m -w 1`,
    })
  })

  it('quiescent=yes keeps a connection that is open and sends nobody else there', async () => {
    lab = await masqTopology()
    const { director, client, reals, realAddresses, vip } = lab
    const [r1, r2] = realAddresses
    await Promise.all(reals.map((real, at) => real.tell('serve', { port: 80, says: `r${at + 1}` })))
    await reals[0].tell('serve', { port: 81, says: 'alive' })
    await reals[1].tell('serve', { port: 81, says: 'alive' })
    const config = `${quick}virtual=${vip}:80
    real=${r1}:80 masq
    real=${r2}:80 masq
    service=http
    checkport=81
    receive="alive"
    scheduler=rr
    quiescent=yes
`
    const daemon = startDaemon(director, writeConfig(config))
    const tableOf = (first: number): string => `-A -t ${vip}:80 -s rr
      -a -t ${vip}:80 -r ${r1}:80 -m -w ${first}
      -a -t ${vip}:80 -r ${r2}:80 -m -w 1`
    await tableBecomes(director, tableOf(1), { daemon, withinMs: 30_000 })
    const url = `http://${vip}/`
    const opened = await Promise.all(['a', 'b'].map((name) => client.tell('hold', { url, name })))
    const held = opened.findIndex((answer) => 'body' in answer && answer.body === 'r1')
    const name = ['a', 'b'][held]
    assert.ok(name !== undefined, JSON.stringify(opened))
    // What is checked dies, what serves goes on.
    await reals[0].tell('silence', { port: 81 })
    await tableBecomes(director, tableOf(0), { daemon })
    assert.deepEqual(await client.tell('hold', { url, name }), { body: 'r1', reused: true })
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 10 })), { r2: 10 })
    assert.deepEqual(await client.tell('hold', { url, name }), { body: 'r1', reused: true })
    await reals[0].tell('serve', { port: 81, says: 'alive' })
    await tableBecomes(director, tableOf(1), { daemon })
    assert.deepEqual(tally(await client.tell('fetch', { url, times: 10 })), { r1: 5, r2: 5 })
  })
})

/** One real dies, all die, one returns, while a client goes on fetching. */
async function failover(lab: Topology, forwarding: string): Promise<void> {
  const { director, client, reals, realAddresses, vip } = lab
  const url = `http://${vip}/`
  const config = `${quick}virtual=${vip}:80
    real=${realAddresses[0]}:80 ${forwarding}
    real=${realAddresses[1]}:80 ${forwarding}
    service=http
    receive="r[12]"
    scheduler=rr
    fallback=127.0.0.1:80 gate
`
  await Promise.all(reals.map((real, at) => real.tell('serve', { port: 80, says: `r${at + 1}` })))
  await director.tell('serve', { port: 80, says: 'sorry' })
  const daemon = startDaemon(director, writeConfig(config))
  const flag = forwarding === 'masq' ? '-m' : '-g'
  const tableOf = (...destinations: readonly string[]): string =>
    `-A -t ${vip}:80 -s rr\n${destinations.map((each) => `-a -t ${vip}:80 -r ${each} -w 1\n`).join('')}`
  const [one, two, sorry] = [`${realAddresses[0]}:80 ${flag}`, `${realAddresses[1]}:80 ${flag}`, '127.0.0.1:80 -g']
  await tableBecomes(director, tableOf(one, two), { daemon, withinMs: 30_000 })
  assert.deepEqual(tally(await client.tell('fetch', { url, times: 10 })), { r1: 5, r2: 5 })

  await client.tell('startLoad', { url, everyMs: 20 })
  /** Everything that was begun from now on, once there is enough of it. */
  const next = async (): Promise<Fetched[]> => {
    const from = Date.now()
    return await eventually('25 more requests of the client', async () => {
      const fresh = (await client.tell('load', { end: false })).filter(begun(from))
      return fresh.length >= 25 ? fresh : undefined
    })
  }
  /** From the death of a server to the moment when the table shows it: only then may a request fail. */
  const dying: { from: number; to: number }[] = []
  const dies = async (real: Host, ...left: readonly string[]): Promise<void> => {
    const from = Date.now()
    await real.tell('silence', { port: 80 })
    await tableBecomes(director, tableOf(...left), { daemon })
    dying.push({ from, to: Date.now() })
  }
  await dies(reals[0], two)
  assert.deepEqual(said(await next()), ['r2'])
  await dies(reals[1], sorry)
  assert.deepEqual(said(await next()), ['sorry'])
  await reals[0].tell('serve', { port: 80, says: 'r1' })
  await tableBecomes(director, tableOf(one), { daemon })
  assert.deepEqual(said(await next()), ['r1'])

  const failed = errors(await client.tell('load', { end: true }))
  const unexplained = failed.filter(
    (each) => !dying.some(({ from, to }) => each.endedAt >= from && each.startedAt <= to),
  )
  assert.ok(failed.length > 0, 'a dead server was met before it was out, so the client would have noticed')
  assert.deepEqual(unexplained, [])
}

/** Two clients, each on its own server, over both ports, and again. */
async function sticksTo(lab: Topology, { config, table }: { config: string; table: string }): Promise<void> {
  const { director, client, reals, vip, clientAddresses } = lab
  for (const port of [80, 443]) {
    await Promise.all(reals.map((real, at) => real.tell('serve', { port, says: `r${at + 1}` })))
  }
  const daemon = startDaemon(director, writeConfig(quick + config))
  await tableBecomes(director, table, { daemon, withinMs: 30_000 })
  const homes: string[] = []
  for (const from of clientAddresses) {
    const answers: Answer[] = []
    for (const port of [80, 443, 80]) {
      answers.push(...(await client.tell('fetch', { url: `http://${vip}:${port}/`, from, times: 4 })))
    }
    assert.equal(said(answers).length, 1, JSON.stringify(tally(answers)))
    homes.push(...said(answers))
  }
  assert.deepEqual(homes.sort(), ['r1', 'r2'])
}
