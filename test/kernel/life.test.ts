import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cli, replaceConfig, tableBecomes, writeConfig } from './lab/director.ts'
import { assertOneLostAtMost, assertUnbroken, createPool, type Pool } from './lab/pool.ts'

const service = '-A -t 10.1.0.100:80 -s rr'
const entry = (server: string, weight = 1): string => `-a -t 10.1.0.100:80 -r ${server} -m -w ${weight}`
const r1 = entry('10.2.1.2:80')
const r2 = entry('10.2.2.2:80')
const sorry = '-a -t 10.1.0.100:80 -r 127.0.0.1:80 -g -w 1'
const foreign = ['-A -t 10.9.9.9:80 -s wlc', '-a -t 10.9.9.9:80 -r 10.2.1.2:80 -m -w 7']

const table = (...lines: readonly string[]): string => lines.join('\n')
const both = table(service, r1, r2)

/** The everyday file; `more` goes before its virtual service. */
const everyday = (more = ''): string => `
  checktimeout=3
  checkinterval=1
  ${more}
  virtual=10.1.0.100:80
      real=10.2.1.2:80 masq
      real=10.2.2.2:80 masq
      fallback=127.0.0.1:80 gate
      service=http
      request="alive"
      receive="r[12]"
      scheduler=rr
`

describe('The daemon in the course of its life', function () {
  this.timeout(60_000)
  let lab: Pool
  before(async () => {
    lab = await createPool()
  })
  afterEach(() => lab.reset())
  after(() => lab.close())

  const byHand = async (...lines: readonly string[]): Promise<void> => {
    for (const line of lines) await lab.director.must('ipvsadm', ...line.split(' '))
  }

  it('is killed and started again: no request of a client fails, and the table is never changed', async () => {
    const config = writeConfig(everyday())
    const first = lab.start(config)
    await tableBecomes(lab.director, both, { daemon: first })
    const watch = await lab.watch()
    first.signal('SIGKILL')
    assert.equal(await first.ended, 'SIGKILL')
    await watch.gets('r1')
    const second = lab.start(config)
    await second.says(/Configuration loaded/)
    await watch.gets('r2')
    const watched = await watch.end()
    assertUnbroken(watched)
    assert.deepEqual(watched.tables, [both])
    assert.doesNotMatch(second.log(), /Added|Deleted|Purged|Restored|Changed/)
    await lab.die('r2')
    await tableBecomes(lab.director, table(service, r1), { daemon: second })
  })

  it('takes out at its start what died while it was gone, and nothing else', async () => {
    const config = writeConfig(everyday())
    const first = lab.start(config)
    await tableBecomes(lab.director, both, { daemon: first })
    first.signal('SIGKILL')
    await first.ended
    await lab.die('r2')
    const second = lab.start(config)
    await tableBecomes(lab.director, table(service, r1), { daemon: second })
    const watch = await lab.watch()
    await lab.rise('r2')
    await tableBecomes(lab.director, both, { daemon: second })
    await watch.gets('r2')
    assertUnbroken(await watch.end())
    assert.doesNotMatch(second.log(), /10\.2\.1\.2|fallback/)
  })

  it('keeps the sorry server in over a kill until a real server has answered', async () => {
    await lab.die('r1', 'r2')
    const config = writeConfig(everyday())
    const first = lab.start(config)
    await tableBecomes(lab.director, table(service, sorry), { daemon: first })
    const watch = await lab.watch()
    first.signal('SIGKILL')
    await first.ended
    const second = lab.start(config)
    for (const real of ['10.2.1.2', '10.2.2.2']) await second.says(new RegExp(`Real server is down: ${real}`))
    await watch.gets('sorry')
    await lab.rise('r1')
    await tableBecomes(lab.director, table(service, r1), { daemon: second })
    await watch.gets('r1')
    const watched = await watch.end()
    assertOneLostAtMost(watched)
    assert.equal(watched.tables[0], table(service, sorry))
    assert.equal(watched.tables.at(-1), table(service, r1))
  })

  it('starts in the background, tells its status and stops as Perl ldirectord does, and leaves what others own', async () => {
    await byHand(...foreign)
    const log = join(mkdtempSync(join(tmpdir(), 'log-')), 'ldirectord.log')
    const config = writeConfig(everyday(`logfile="${log}"`))
    const verb = (word: string): ReturnType<typeof cli> => cli(lab.director, config, word)
    const pidFile = `/run/ldirectord.${basename(config)}.pid`
    const quiet = { code: 0, stdout: '', stderr: '' }
    assert.deepEqual(await verb('start'), quiet)
    assert.ok((await lab.director.table()).includes(service), 'the first pass is over when `start` ends')
    const pid = readFileSync(pidFile, 'utf8')
    assert.match(pid, /^\d+\n$/)
    const running = `ldirectord for ${config} is running with pid: ${pid}`
    assert.deepEqual(await verb('status'), { code: 0, stdout: '', stderr: running })
    assert.deepEqual(await verb('start'), quiet)
    assert.equal(readFileSync(pidFile, 'utf8'), pid)
    replaceConfig(config, everyday(`logfile="${log}"`).replace('2.2:80 masq', '2.2:80 masq 6'))
    assert.deepEqual(await verb('reload'), quiet)
    await tableBecomes(lab.director, table(service, r1, entry('10.2.2.2:80', 6), ...foreign))
    assert.deepEqual(await verb('stop'), quiet)
    assert.deepEqual(await lab.director.table(), foreign)
    assert.equal(existsSync(pidFile), false)
    const stopped = { code: 3, stdout: `ldirectord is stopped for ${config}\n`, stderr: '' }
    assert.deepEqual(await verb('status'), stopped)
    for (const line of [
      'Starting Linux Director v\\S+ as daemon',
      'Added virtual server: 10.1.0.100:80',
      'Added real server: 10.2.1.2:80 \\(10.1.0.100:80\\) \\(Weight set to 1\\)',
      'Purged real server \\(stop\\): 10.2.1.2:80 \\(10.1.0.100:80\\)',
      'Purged virtual server \\(stop\\): 10.1.0.100:80',
      'Linux Director Daemon terminated on signal: TERM',
    ]) {
      const whole = new RegExp(`^\\[[^|\\]]+\\|${basename(config)}\\|${pid.trim()}\\] ${line}$`, 'm')
      assert.match(readFileSync(log, 'utf8'), whole)
    }
  })

  it('leaves the table with cleanstop=no, and a later start takes it over without a lost request', async () => {
    const config = writeConfig(everyday('cleanstop=no'))
    assert.equal((await cli(lab.director, config, 'start')).code, 0)
    await tableBecomes(lab.director, both)
    const watch = await lab.watch()
    for (const word of ['stop', 'start']) assert.equal((await cli(lab.director, config, word)).code, 0)
    const watched = await watch.end()
    assertUnbroken(watched)
    assert.deepEqual(watched.tables, [both])
  })

  it('removes at its start what left the file between a restart, or a kill, and nothing that is not ours', async function () {
    this.timeout(150_000)
    const mark = ['-A -f 7 -s wrr', '-a -f 7 -r 10.2.2.2:0 -m -w 3']
    const section = `
  virtual=7
      real=10.2.2.2 masq 3
      checktype=on
`
    const config = writeConfig(everyday() + section)
    for (const end of ['SIGUSR2', 'SIGKILL'] as const) {
      replaceConfig(config, everyday() + section)
      const first = lab.start(config)
      await tableBecomes(lab.director, table(both, ...mark), { daemon: first })
      first.signal(end)
      await first.ended
      replaceConfig(config, everyday())
      const second = lab.start(config)
      await tableBecomes(lab.director, both, { daemon: second })
      assert.match(second.log(), /Purged virtual server \(start\): 7\n/)
      second.signal('SIGUSR2')
      await second.ended
    }
    // After a plain stop what cleanstop=no left is the operator's.
    replaceConfig(config, everyday('cleanstop=no') + section)
    const third = lab.start(config)
    await tableBecomes(lab.director, table(both, ...mark), { daemon: third })
    third.signal('SIGTERM')
    await third.ended
    replaceConfig(config, everyday())
    const last = lab.start(config)
    await last.says(/Configuration loaded/)
    await tableBecomes(lab.director, table(both, ...mark), { daemon: last })
    assert.doesNotMatch(last.log(), /Purged/)
  })

  it('puts everything back, whole and within seconds, when somebody has cleared the table', async () => {
    const file = `${everyday('quiescent=yes')}
  virtual=7
      real=10.2.2.2 masq 3
      checktype=connect
      checkport=80
      persistent=300
`
    const whole = table(service, r1, r2, '-A -f 7 -s wrr -p 300', '-a -f 7 -r 10.2.2.2:0 -m -w 3')
    const daemon = lab.start(writeConfig(file))
    await tableBecomes(lab.director, whole, { daemon })
    await lab.die('r1')
    const quiesced = whole.replace(r1, entry('10.2.1.2:80', 0))
    await tableBecomes(lab.director, quiesced, { daemon })
    await byHand('-C')
    await tableBecomes(lab.director, quiesced, { daemon, withinMs: 8000 })
    assert.doesNotMatch(daemon.log(), /changed by others/)
  })

  it('makes its services equal to the file at its start: a foreign real server goes, a weight is the configured one', async () => {
    await byHand(...foreign, '-A -t 10.1.0.100:80 -s lc', entry('10.2.9.9:80', 5), entry('10.2.1.2:80', 9))
    const daemon = lab.start(writeConfig(everyday()))
    await tableBecomes(lab.director, table(both, ...foreign), { daemon })
    for (const line of ['Changed virtual server: 10.1.0.100:80', 'Purged real server \\(start\\): 10.2.9.9:80 '])
      assert.match(daemon.log(), new RegExp(line))
    assert.doesNotMatch(daemon.log(), /Added virtual|10\.9\.9\.9/)
  })

  it('leaves what others change while it runs and says so once; drift=repair puts it back', async () => {
    // The second virtual service makes the passes over the table in which the first one must be left alone.
    const file = (drift: string): string => `${everyday(`drift=${drift}`)}
  virtual=10.1.0.100:8080
      real=10.2.1.2:8080 masq
      checktype=connect
      scheduler=rr
`
    const other = '-A -t 10.1.0.100:8080 -s rr'
    const third = '-a -t 10.1.0.100:8080 -r 10.2.1.2:8080 -m -w 1'
    const drain = '-e -t 10.1.0.100:80 -r 10.2.1.2:80 -m -w 0'
    const drained = table(service, entry('10.2.1.2:80', 0), r2, other)
    const config = writeConfig(file('report'))
    const daemon = lab.start(config)
    await tableBecomes(lab.director, table(both, other), { daemon })
    await byHand(...foreign, drain)
    await daemon.says(/changed by others: 10\.1\.0\.100:80 has 10\.2\.1\.2:80 with weight 0/)
    await lab.rise('r3')
    await tableBecomes(lab.director, table(drained, third, ...foreign), { daemon })
    await lab.die('r3')
    await tableBecomes(lab.director, table(drained, ...foreign), { daemon })
    assert.equal(daemon.log().match(/changed by others/g)?.length, 1)
    replaceConfig(config, file('repair'))
    daemon.signal('SIGHUP')
    const right = table(both, other, ...foreign)
    await tableBecomes(lab.director, right, { daemon })
    await byHand(drain, '-d -t 10.1.0.100:80 -r 10.2.2.2:80', entry('10.2.9.9:80', 5))
    await tableBecomes(lab.director, right, { daemon })
  })
})
