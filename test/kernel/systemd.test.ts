import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { skipBecause } from '../tools/skip.ts'
import { replaceConfig, tableBecomes, unindent } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import { assertUnbroken, createPool, type Pool } from './lab/pool.ts'
import { bootSystemd, type Systemd } from './lab/systemd.ts'

const directory = '/run/cf'
const config = `${directory}/www.cf`
const unit = 'ldirectord-ng@www.cf.service'
const log = '/var/log/lab.log'
const both = `-A -t 10.1.0.100:80 -s rr
-a -t 10.1.0.100:80 -r 10.2.1.2:80 -m -w 1
-a -t 10.1.0.100:80 -r 10.2.2.2:80 -m -w 1
-A -t 10.1.0.100:81 -s wrr
-a -t 10.1.0.100:81 -r 10.2.1.2:81 -m -w 1
-A -t 10.1.0.100:82 -s wrr
-a -t 10.1.0.100:82 -r 10.2.1.2:82 -m -w 1`

/** With a ping and a command, which must get through the cage. */
const everyday = (more = ''): string =>
  unindent(`
  logfile="${log}"
  checktimeout=3
  checkinterval=1
  ${more}
  virtual=10.1.0.100:80
      real=10.2.1.2:80 masq
      real=10.2.2.2:80 masq
      service=http
      receive="r[12]"
      scheduler=rr
  virtual=10.1.0.100:81
      real=10.2.1.2:81 masq
      checktype=ping
  virtual=10.1.0.100:82
      real=10.2.1.2:82 masq
      checktype=external
      checkcommand="/bin/true"
`)

describe('Under a real systemd', function () {
  this.timeout(180_000)
  let lab: Pool
  let systemd: Systemd

  before(async function () {
    if (!existsSync('/lib/systemd/systemd')) skipBecause(this, 'no systemd (package systemd)')
    lab = await createPool()
    mkdirSync(directory, { recursive: true })
    systemd = await bootSystemd(lab.director, directory)
  })
  beforeEach(() => {
    rmSync(log, { force: true })
    writeFileSync(config, everyday())
  })
  afterEach(async () => {
    await systemd.systemctl('stop', unit)
    await systemd.systemctl('reset-failed', unit)
    await lab.reset()
  })
  after(async () => {
    await systemd?.close()
    await lab?.close()
  })

  const control = async (...words: readonly string[]): Promise<void> => {
    const { code, stderr } = await systemd.systemctl(...words, unit)
    assert.equal(code, 0, `${stderr}\n${systemd.log()}\n${said()}`)
  }
  const said = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const statusBecomes = async (wanted: string): Promise<void> => {
    let seen = ''
    const probe = async (): Promise<true | undefined> => {
      seen = await systemd.property(unit, 'StatusText')
      return seen === wanted ? true : undefined
    }
    await eventually(`the status ${wanted}`, probe, {}, () => `but it was ${seen}\n${said()}`)
  }

  it('is up when the table stands, shows its line, reloads, restarts without a lost request, and clears it at a stop', async () => {
    await control('start')
    assert.ok((await lab.director.table()).includes('-A -t 10.1.0.100:80 -s rr'), 'the first pass is over')
    await statusBecomes('3 virtuals, 4 of 4 reals up')
    await lab.die('r2')
    await statusBecomes('3 virtuals, 3 of 4 reals up')
    await lab.rise('r2')
    replaceConfig(config, everyday('failurecount=2'))
    await control('reload')
    await statusBecomes('3 virtuals, 4 of 4 reals up')
    assert.equal(await systemd.property(unit, 'ActiveState'), 'active')
    replaceConfig(config, everyday('checkinterval=often'))
    assert.notEqual((await systemd.systemctl('reload', unit)).code, 0)
    assert.deepEqual(await systemd.property(unit, 'ActiveState'), 'active')
    replaceConfig(config, everyday())
    await tableBecomes(lab.director, both)
    const watch = await lab.watch()
    // In the middle of a reload systemd would pass over ExecStop=.
    await control('reload')
    await control('restart')
    await watch.gets('r1')
    await control('try-restart')
    await watch.gets('r2')
    const watched = await watch.end()
    assertUnbroken(watched)
    assert.deepEqual(watched.tables, [both])
    const leaving = /Leaving the IPVS table as it is for the next start\n.*terminated on signal: TERM/g
    assert.equal(said().match(leaving)?.length, 2)
    assert.doesNotMatch(said(), /Purged/)
    await control('stop')
    assert.deepEqual(await lab.director.table(), [])
    assert.equal(await systemd.property(unit, 'Result'), 'success')
    assert.match(said(), /Purged virtual server \(stop\): 10\.1\.0\.100:80\n(.*\n)*.*terminated on signal: TERM/)
  })

  it('gives its control socket to a group that a drop-in names, at each start and over a reload', async () => {
    const socket = '/run/ldirectord-ng/www.cf.sock'
    const group = 4
    const of = (): { gid: number; mode: number } => {
      const { gid, mode } = statSync(socket)
      return { gid, mode: mode & 0o777 }
    }
    mkdirSync(`/run/units/${unit}.d`, { recursive: true })
    writeFileSync(`/run/units/${unit}.d/group.conf`, `[Service]\nExecStartPost=+-/usr/bin/chgrp ${group} ${socket}\n`)
    await systemd.systemctl('daemon-reload')
    try {
      for (const verb of ['start', 'reload', 'restart']) {
        await control(verb)
        assert.deepEqual(of(), { gid: group, mode: 0o660 }, verb)
      }
    } finally {
      rmSync(`/run/units/${unit}.d`, { recursive: true })
      await systemd.systemctl('daemon-reload')
    }
  })

  it('is restarted by the watchdog when it stands still, with the table in place', async () => {
    writeFileSync(config, everyday())
    mkdirSync(`/run/units/${unit}.d`, { recursive: true })
    writeFileSync(`/run/units/${unit}.d/quick.conf`, '[Service]\nWatchdogSec=10\nRestartSec=0\n')
    await systemd.systemctl('daemon-reload')
    try {
      await control('start')
      await tableBecomes(lab.director, both)
      const watch = await lab.watch()
      const first = await systemd.property(unit, 'MainPID')
      // What is stopped feeds nobody. The pid is systemd's, in its namespace.
      await systemd.systemctl('kill', '--kill-whom=main', '--signal=SIGSTOP', unit)
      await eventually(
        'another process',
        async () => {
          const [pid, state] = [await systemd.property(unit, 'MainPID'), await systemd.property(unit, 'ActiveState')]
          return pid !== '0' && pid !== first && state === 'active' ? true : undefined
        },
        { withinMs: 60_000 },
        () => `${systemd.log()}\n${said()}`,
      )
      await statusBecomes('3 virtuals, 4 of 4 reals up')
      const watched = await watch.end()
      assertUnbroken(watched)
      assert.deepEqual(watched.tables, [both])
      assert.equal(await systemd.property(unit, 'NRestarts'), '1')
    } finally {
      rmSync(`/run/units/${unit}.d`, { recursive: true })
      await systemd.systemctl('daemon-reload')
    }
  })

  it('does not start again and again on a file with errors', async () => {
    writeFileSync(config, 'chekinterval=1\n')
    assert.notEqual((await systemd.systemctl('start', unit)).code, 0)
    assert.equal(await systemd.property(unit, 'ExecMainStatus'), '2')
    assert.equal(await systemd.property(unit, 'ActiveState'), 'failed')
    assert.equal(await systemd.property(unit, 'NRestarts'), '0')
  })
})
