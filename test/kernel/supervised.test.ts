import assert from 'node:assert/strict'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { attend, command, tableBecomes, writeConfig } from './lab/director.ts'
import { createPool, type Pool } from './lab/pool.ts'

describe('supervised', function () {
  this.timeout(60_000)
  let lab: Pool
  before(async () => {
    lab = await createPool()
  })
  after(() => lab.close())

  it('stays in the foreground without a pid file, and writes to standard output what others log (reference 1.9)', async () => {
    const log = join(mkdtempSync(join(tmpdir(), 'log-')), 'log')
    const config = writeConfig(`
      supervised
      logfile="${log}"
      checkinterval=1
      virtual=10.1.0.100:80
          real=10.2.1.2:80 masq
          checktype=connect
          scheduler=rr
    `)
    const [program, ...args] = command
    const daemon = attend(lab.director.spawn(program, [...args, config, 'start']))
    await tableBecomes(lab.director, '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.1.2:80 -m -w 1', {
      daemon,
    })
    assert.equal(existsSync(`/run/ldirectord.${basename(config)}.pid`), false)
    daemon.signal('SIGTERM')
    assert.equal(await daemon.ended, 0)
    await tableBecomes(lab.director, '')
    assert.equal(existsSync(log), false)
    const lines = daemon.log().split('\n').slice(0, -1)
    const own = lines.filter((line) => !line.includes('warning'))
    assert.match(daemon.log(), /\] Starting Linux Director v\S+ with pid: \d+\n/)
    assert.match(
      own.at(-1) ?? '',
      /^\[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\] Linux Director Daemon terminated on signal: TERM$/,
    )
  })
})
