import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cli, replaceConfig, tableBecomes, writeConfig } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import { createPool, type Pool } from './lab/pool.ts'

const table = (...lines: readonly string[]): string => lines.join('\n')
const one = (port: number, scheduler = 'rr'): string => `-A -t 10.1.0.100:${port} -s ${scheduler}`
const entry = (port: number, server: string): string => `-a -t 10.1.0.100:${port} -r ${server}`

describe('What the daemon runs beside itself', function () {
  this.timeout(120_000)
  let lab: Pool
  let folder = ''
  before(async () => {
    lab = await createPool()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scripts-'))
  })
  afterEach(() => lab.reset())
  after(() => lab.close())

  const linesOf = (name: string): string[] => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  }
  const noting = (name: string): string => {
    const script = join(folder, `${name}.sh`)
    writeFileSync(script, `#!/bin/sh\necho "$*$LDIRECTORD_FWMARK" >> ${join(folder, name)}\n`, { mode: 0o755 })
    return script
  }
  const pidOf = (config: string): string | undefined => {
    const path = `/run/ldirectord.${basename(config)}.pid`
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }

  it('starts, reloads and stops another configuration with its own; two that name each other come to rest', async () => {
    const other = (scheduler: string, name: string): string => `
      checkinterval=1
      checktimeout=3
      logfile="${join(folder, 'b.log')}"
      execute=${name}
      virtual=10.1.0.100:81
          real=10.2.1.2:80 masq
          checktype=connect
          scheduler=${scheduler}
    `
    const b = writeConfig('# soon\n')
    const a = writeConfig(`
      checkinterval=1
      checktimeout=3
      logfile="${join(folder, 'a.log')}"
      execute="${b}"
      virtual=10.1.0.100:80
          real=10.2.1.2:80 masq
          checktype=connect
          scheduler=rr
    `)
    writeFileSync(b, other('rr', a).replace(/^ {6}/gm, ''))
    const first = [one(80), entry(80, '10.2.1.2:80 -m -w 1')]
    const second = (scheduler: string): string[] => [one(81, scheduler), entry(81, '10.2.1.2:80 -m -w 1')]
    assert.equal((await cli(lab.director, a, 'start')).code, 0)
    await tableBecomes(lab.director, table(...first, ...second('rr')))
    const pids = [pidOf(a), pidOf(b)]
    assert.ok(pids.every((pid) => pid !== undefined))
    const said = `ldirectord for ${a} is running with pid: ${pids[0]}ldirectord for ${b} is running with pid: ${pids[1]}`
    assert.deepEqual(await cli(lab.director, a, 'status'), { code: 0, stdout: '', stderr: said })

    replaceConfig(b, other('wlc', a))
    assert.equal((await cli(lab.director, a, 'reload')).code, 0)
    await tableBecomes(lab.director, table(...first, ...second('wlc')))
    assert.deepEqual([pidOf(a), pidOf(b)], pids)

    assert.equal((await cli(lab.director, a, 'stop')).code, 0)
    await tableBecomes(lab.director, '')
    assert.deepEqual([pidOf(a), pidOf(b)], [undefined, undefined])
    const logs = ['a.log', 'b.log'].flatMap((name) => linesOf(name).map((line) => line.replace(/^\[.*?\] /, '')))
    assert.deepEqual(
      logs.filter((line) => line.startsWith('execute ')),
      [
        `execute ${b} start: exit status 0`,
        `execute ${b} reload: told, pid ${pids[1]?.trim()}`,
        `execute ${b} stop: pid ${pids[1]?.trim()} has ended`,
        `execute ${a} failed: it leads back to itself: not started`,
      ],
    )
  })

  it('tells fallbackcommand of an address and of a mark, and callback of a changed file', async () => {
    const file = (interval: number): string => `
      checkinterval=${interval}
      checktimeout=3
      autoreload=yes
      callback="${join(folder, 'callback.sh')}"
      fallbackcommand=${join(folder, 'sorry.sh')} now
      fallbackonstop=yes
      virtual=10.1.0.100:80
          real=10.2.1.2:80 masq
          checktype=connect
          monitorfile=${join(folder, 'monitor')}
      virtual=7
          real=10.2.1.2 masq
          checktype=connect
          checkport=80
    `
    noting('sorry')
    noting('callback')
    const config = writeConfig(file(1))
    const daemon = lab.start(config)
    const told = async (...lines: readonly string[]): Promise<void> => {
      const isSo = (): true | undefined =>
        linesOf('sorry').toSorted().join('|') === lines.join('|') ? true : undefined
      await eventually(
        `fallbackcommand with ${lines.join(', ')}`,
        isSo,
        {},
        () => `${linesOf('sorry').join('\n')}\n${daemon.log()}`,
      )
    }
    const address = (phase: string): string => `now ${phase} 10.1.0.100:80 tcp`
    const mark = (phase: string): string => `now ${phase} :0 fwm7`
    await told(address('stop'), mark('stop'))
    await lab.die('r1')
    await told(address('start'), mark('start'), address('stop'), mark('stop'))

    replaceConfig(config, file(2))
    await eventually(
      'callback',
      () => (linesOf('callback')[0] === config ? true : undefined),
      {},
      () => daemon.log(),
    )
    daemon.signal('SIGTERM')
    assert.equal(await daemon.ended, 0)
    assert.deepEqual(linesOf('sorry').slice(-2).toSorted(), [address('stop'), mark('stop')])
    assert.deepEqual(linesOf('callback'), [config])
    const id = 'connect tcp 10.2.1.2 80 1 masq / '
    const monitored = new Set(linesOf('monitor').map((line) => line.replace(/^\[.*?\] \[\d+\] /, '')))
    assert.deepEqual([...monitored], [`${id} [up] -`, `${id} [down] -`])
  })
})
