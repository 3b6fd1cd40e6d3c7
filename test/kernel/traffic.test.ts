import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { cli, type RunningDaemon, replaceConfig, tableBecomes, writeConfig } from './lab/director.ts'
import { assertUnbroken, createPool, type Pool } from './lab/pool.ts'

const log = '/var/log/traffic.log'

/** A start costs a second here, and several when others use the machine. */
const patience = { withinMs: 60_000 }

/** cleanstop is yes, as by default: nothing but the restart keeps the table. */
const file = (weight: number, scheduler = 'rr'): string => `
  logfile="${log}"
  checktimeout=3
  checkinterval=1
  virtual=10.1.0.100:80
      real=10.2.1.2:80 masq ${weight}
      real=10.2.2.2:80 masq
      service=http
      receive="r[12]"
      scheduler=${scheduler}
`

const table = (weight: number, scheduler = 'rr'): string => `-A -t 10.1.0.100:80 -s ${scheduler}
-a -t 10.1.0.100:80 -r 10.2.1.2:80 -m -w ${weight}
-a -t 10.1.0.100:80 -r 10.2.2.2:80 -m -w 1`

interface Traffic {
  /** The open connection answers as before. */
  goesOn(): Promise<void>
  /** No request failed, no connection was cut, and the table was always one of these. */
  unbroken(tables: readonly string[]): Promise<void>
}

describe('A client that fetches without a pause', function () {
  this.timeout(280_000)
  let lab: Pool
  let config: string

  before(async () => {
    lab = await createPool()
  })
  beforeEach(() => {
    config = writeConfig(file(1))
  })
  afterEach(() => lab.reset())
  after(() => lab.close())

  /** A connection that stays open from here to `unbroken`, beside the new ones that are made all the time. */
  const begin = async (): Promise<Traffic> => {
    const hold = () => lab.client.tell('hold', { url: `http://${lab.vip}/`, name: config })
    const held = await hold()
    const watch = await lab.watch()
    const goesOn = async (): Promise<void> => assert.deepEqual(await hold(), { ...held, reused: true })
    return {
      goesOn,
      unbroken: async (tables) => {
        for (const server of ['r1', 'r2'] as const) await watch.gets(server)
        await goesOn()
        const watched = await watch.end()
        assertUnbroken(watched)
        assert.deepEqual(
          watched.tables.filter((each) => !tables.includes(each)),
          [],
        )
      },
    }
  }
  const pidFile = (): string => `/run/ldirectord.${basename(config)}.pid`

  it('notices nothing of 20 restarts, whatever cleanstop says', async () => {
    let daemon = lab.start(config)
    await tableBecomes(lab.director, table(1), { daemon, ...patience })
    const traffic = await begin()
    // As `restart` does it, without the two programs that this takes beside the daemon.
    for (let n = 0; n < 18; n += 1) {
      daemon.signal('SIGUSR2')
      assert.equal(await daemon.ended, 0)
      assert.doesNotMatch(daemon.log(), n === 0 ? /Purged|Deleted/ : /Added|Deleted|Purged|Restored|Changed/)
      daemon = lab.start(config)
      await daemon.says(/Configuration loaded/, patience)
      await traffic.goesOn()
    }
    for (const verb of ['restart', 'try-restart']) {
      const before = readFileSync(pidFile(), 'utf8')
      assert.deepEqual(await cli(lab.director, config, verb), { code: 0, stdout: '', stderr: '' })
      assert.notEqual(readFileSync(pidFile(), 'utf8'), before)
    }
    await traffic.unbroken([table(1)])
    assert.equal(readFileSync(log, 'utf8').match(/Purged|Deleted/), null)
  })

  it('notices nothing of 20 reloads that change weight and scheduler', async () => {
    const daemon = lab.start(config)
    await tableBecomes(lab.director, table(1), { daemon, ...patience })
    const traffic = await begin()
    const seen = [table(1)]
    for (let n = 0; n < 20; n += 1) {
      const wish = [2 + (n % 3), n % 2 === 0 ? 'wlc' : 'wrr'] as const
      daemon.mark()
      replaceConfig(config, file(...wish))
      daemon.signal('SIGHUP')
      await daemon.says(/Configuration loaded/, patience)
      await tableBecomes(lab.director, table(...wish), { daemon, ...patience })
      seen.push(table(...wish))
    }
    await traffic.unbroken(seen)
    assert.doesNotMatch(daemon.log(), /Purged|Deleted|Quiescent/)
  })

  it('notices nothing of five kills without warning, each with a start after it', async () => {
    let daemon: RunningDaemon = lab.start(config)
    await tableBecomes(lab.director, table(1), { daemon, ...patience })
    const traffic = await begin()
    for (let n = 0; n < 5; n += 1) {
      daemon.signal('SIGKILL')
      assert.equal(await daemon.ended, 'SIGKILL')
      daemon = lab.start(config)
      await daemon.says(/Configuration loaded/, patience)
      await traffic.goesOn()
      assert.doesNotMatch(daemon.log(), /Added|Deleted|Purged|Restored|Changed/)
    }
    await traffic.unbroken([table(1)])
  })
})
