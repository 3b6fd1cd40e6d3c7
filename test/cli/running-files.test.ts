import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { programStage } from './program-stage.ts'

describe('files and scripts of a running daemon', function () {
  this.timeout(30_000)
  const stage = programStage()
  const { folder } = stage
  const path = (name: string): string => folder.path(name)
  const replace = (text: string): void => {
    writeFileSync(path('new'), text)
    renameSync(path('new'), path('a.cf'))
  }
  const config = (port: number, ...head: readonly string[]): string =>
    `${head.join('\n')}
checkinterval = 1
autoreload = yes
virtual = 127.0.0.9:80
    real = 127.0.0.1:${port} masq
    checktype = connect
    monitorfile = ${path('gone/monitor')}
# end
`
  const kinds = (): string[] =>
    stage
      .file('log/a')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { event: string }).event)

  it('loses its log folder and its monitor folder, and goes on', async () => {
    mkdirSync(path('log'))
    const port = await stage.listen()
    const head = [`logfile = "${path('log/a')}"`, 'logformat = json']
    replace(config(port, ...head))
    const { child, ended } = stage.launch('run', 'a.cf', '--table', 'memory')
    let seen = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
    })
    await stage.until(() => kinds().includes('monitor-failed'))
    rmSync(path('log'), { recursive: true })
    mkdirSync(path('gone'))
    await stage.until(() => seen.includes('"event":"monitor-works"'))
    assert.match(stage.file('gone/monitor'), / \[up\] -\n$/)
    assert.equal(stage.file('log/a'), '')
    mkdirSync(path('log'))
    replace(config(port, ...head, 'failurecount = 2'))
    await stage.until(() => kinds().includes('config-changed'))
    child.kill('SIGUSR1')
    rmSync(path('log/a'))
    child.kill('SIGTERM')
    const { code, out, err } = await ended
    assert.equal(code, 0)
    assert.deepEqual(kinds().slice(-1), ['terminated'])
    // Standard output has every event, those too that no file took.
    const said = out.split('\n').slice(0, -1)
    const events = said.map((line) => (JSON.parse(line) as { event: string }).event)
    for (const kind of ['starting', 'monitor-failed', 'monitor-works', 'config-changed', 'terminated']) {
      assert.equal(events.filter((each) => each === kind).length, 1, `${kind} in ${out}`)
    }
    const complaints = err.split('\n').filter((line) => line.startsWith('ldirectord-ng: '))
    assert.equal(complaints.length, 2, err)
    assert.match(complaints[0] ?? '', /log\/a: ENOENT.*; log lines are dropped until it works again$/)
    assert.match(complaints[1] ?? '', /log\/a: works again, \d+ log lines were lost$/)
  })

  it('runs callback after the reload, and keeps on when it hangs', async () => {
    const port = await stage.listen()
    const script = path('callback.sh')
    writeFileSync(script, `#!/bin/sh\necho "$1" >> ${path('called')}\nexec sleep 600\n`, { mode: 0o755 })
    const head = [`logfile = "${path('log')}"`]
    replace(config(port, ...head))
    const { child, ended } = stage.launch('run', 'a.cf', '--table', 'memory')
    await stage.until(() => stage.file('log').includes('Added real server'))
    replace(config(port, ...head, `callback = "${script}"`))
    await stage.until(() => stage.file('called') !== '')
    assert.equal(stage.file('called'), `${path('a.cf')}\n`)
    const other = await stage.listen()
    replace(config(other, ...head, `callback = "${script}"`, 'reloadguard = no'))
    await stage.until(() => stage.file('log').includes(`Added real server: 127.0.0.1:${other}`))
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
    assert.match(stage.file('log'), /callback .*callback\.sh failed: ended with the daemon/)
    assert.equal(stage.file('called'), `${path('a.cf')}\n`, 'one at a time')
  })
})
