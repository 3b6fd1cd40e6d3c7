import { strict as assert } from 'node:assert'
import { mkdirSync, mkdtempSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tally } from './lab/answers.ts'
import { cli, type RunningDaemon, startDaemon, tableBecomes, writeConfig } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import { gateTopology, masqTopology, type Topology } from './lab/topology.ts'

/** Two web servers behind the director, a client that fetches without a pause, and one connection to the first of them. */
interface Traffic {
  readonly lab: Topology
  readonly config: string
  readonly env: NodeJS.ProcessEnv
  /** The folder of maintenance files. */
  readonly folder: string
  /** The entries' weights; undefined: not in the table. */
  table(one: number | undefined, two?: number): string
  /** Asks again on the connection that is open; its server's name, and that it is the same connection. */
  ask(): Promise<{ readonly body: string; readonly reused: boolean }>
  /** The client closes that connection. */
  release(): Promise<void>
}

interface Kind {
  readonly method: string
  readonly quiescent: string
  readonly timeouts?: string
}

async function traffic(lab: Topology, { method, quiescent, timeouts = '0 0 0' }: Kind): Promise<Traffic> {
  const { client, reals, realAddresses, vip } = lab
  const [r1, r2] = realAddresses
  const home = mkdtempSync(join(tmpdir(), 'maintenance-'))
  const folder = join(home, 'files')
  mkdirSync(folder)
  await Promise.all(reals.map((real, at) => real.tell('serve', { port: 80, says: `r${at + 1}` })))
  const flag = method === 'masq' ? '-m' : '-g'
  const line = (real: string, weight: number | undefined): string =>
    weight === undefined ? '' : `\n      -a -t ${vip}:80 -r ${real}:80 ${flag} -w ${weight}`
  const url = `http://${vip}/`
  return {
    lab,
    env: { LDIRECTORD_NG_STATE_DIR: join(home, 'state') },
    folder,
    config: writeConfig(`checktimeout=5
negotiatetimeout=5
checkinterval=1
maintenancedir=${folder}
timeouts=${timeouts}
quiescent=${quiescent}
virtual=${vip}:80
    real=${r1}:80 ${method}
    real=${r2}:80 ${method}
    service=http
    receive="r[12]"
    scheduler=rr
`),
    table: (one, two = 1) => `-A -t ${vip}:80 -s rr${line(r1, one)}${line(r2, two)}`,
    ask: async () => {
      const answer = await client.tell('hold', { url, name: 'held' })
      if ('error' in answer) throw new Error(`the connection that was open: ${answer.error}`)
      return answer
    },
    release: async () => {
      await client.tell('release', { name: 'held' })
    },
  }
}

/** A daemon whose table stands, with the held connection on the first server. */
async function begin({ lab, config, env, table, ask, release }: Traffic): Promise<RunningDaemon> {
  const daemon = startDaemon(lab.director, config, env)
  await tableBecomes(lab.director, table(1), { daemon, withinMs: 30_000 })
  await eventually('a connection to the first server', async () => {
    if ((await ask()).body === 'r1') return true
    await release()
    return undefined
  })
  return daemon
}

describe('a real server that the operator takes out, on a real kernel', function () {
  this.timeout(180_000)
  let lab: Topology | undefined

  afterEach(async () => {
    await lab?.close()
    lab = undefined
  })

  for (const { method, make, timeouts } of [
    // The entry waits half a minute, for the connection stays in TIME_WAIT for two.
    { method: 'masq', make: masqTopology, timeouts: '0 0 0' },
    // It leaves with the connection, which is forgotten a second after its FIN.
    { method: 'gate', make: gateTopology, timeouts: '0 1 0' },
  ]) {
    it(`${method}: drained, it keeps its open connection, over a kill -9 too, gets no other, and leaves when that ends`, async () => {
      lab = await make()
      const scene = await traffic(lab, { method, quiescent: 'no', timeouts })
      const { config, env, table, ask } = scene
      const { director, client, realAddresses, vip } = lab
      const first = await begin(scene)
      await client.tell('startLoad', { url: `http://${vip}/`, everyMs: 50 })
      const words = ['drain', realAddresses[0], '--reason', 'new kernel', '-c', config] as const
      const { code, stdout, stderr } = await cli(director, ...words)
      assert.equal(code, 0, stderr + first.log())
      assert.match(stdout, /draining \(new kernel\)/)
      await tableBecomes(director, table(0), { daemon: first })
      const answers = (times: number) => client.tell('fetch', { url: `http://${vip}/`, times })
      assert.deepEqual(tally(await answers(10)), { r2: 10 })
      assert.deepEqual(await ask(), { body: 'r1', reused: true })

      first.signal('SIGKILL')
      await first.ended
      const second = startDaemon(director, config, env)
      await second.says(/Configuration loaded/, { withinMs: 30_000 })
      // Two looks at the table lie between: it waits for the connection and not for its own patience.
      await eventually(
        '30 more requests',
        async () => ((await client.tell('load', { end: false })).length > 150 ? true : undefined),
        {
          withinMs: 60_000,
        },
      )
      await tableBecomes(director, table(0), { daemon: second })
      assert.deepEqual(await ask(), { body: 'r1', reused: true })
      assert.deepEqual(tally(await answers(10)), { r2: 10 })

      await scene.release()
      await tableBecomes(director, table(undefined), { daemon: second, withinMs: 90_000 })
      await second.says(/Drained real server: .* no connection is left/)
      const enabled = await cli(director, 'enable', realAddresses[0], '-c', config)
      assert.equal(enabled.code, 0, enabled.stderr)
      await tableBecomes(director, table(1), { daemon: second })
      const load = await client.tell('load', { end: true })
      assert.deepEqual(
        load.filter((answer) => 'error' in answer),
        [],
        'no request of the client failed',
      )
    })
  }

  it('with a maintenance file it keeps its open connection where quiescent = yes, gets no other, and comes back with its end', async () => {
    lab = await masqTopology()
    const scene = await traffic(lab, { method: 'masq', quiescent: 'yes' })
    const { folder, table, ask } = scene
    const { director, client, realAddresses, vip } = lab
    const daemon = await begin(scene)
    await client.tell('startLoad', { url: `http://${vip}/`, everyMs: 50 })
    const answers = (times: number) => client.tell('fetch', { url: `http://${vip}/`, times })
    for (const name of [`${realAddresses[0]}:80`, realAddresses[0]]) {
      writeFileSync(join(folder, name), 'new disk\n')
      await tableBecomes(director, table(0), { daemon })
      assert.deepEqual(tally(await answers(10)), { r2: 10 })
      assert.deepEqual(await ask(), { body: 'r1', reused: true })
      unlinkSync(join(folder, name))
      await tableBecomes(director, table(1), { daemon })
      assert.deepEqual(Object.keys(tally(await answers(10))).sort(), ['r1', 'r2'])
    }
    assert.match(daemon.log(), /Maintenance of real server begun: .*: new disk/)
    const load = await client.tell('load', { end: true })
    assert.deepEqual(
      load.filter((answer) => 'error' in answer),
      [],
    )
  })

  it('is held from the first pass of a daemon that starts on its table', async () => {
    lab = await masqTopology()
    const scene = await traffic(lab, { method: 'masq', quiescent: 'yes' })
    const { folder, table, config, env } = scene
    const { director, client, realAddresses, vip } = lab
    const first = await begin(scene)
    first.signal('SIGKILL')
    await first.ended
    writeFileSync(join(folder, realAddresses[0]), '')
    const second = startDaemon(director, config, env)
    await second.says(/Configuration loaded/, { withinMs: 30_000 })
    await tableBecomes(director, table(0), { daemon: second })
    assert.deepEqual(tally(await client.tell('fetch', { url: `http://${vip}/`, times: 4 })), { r2: 4 })
    assert.doesNotMatch(second.log(), new RegExp(`(Added|Restored) real server: ${realAddresses[0]}`))
  })
})
