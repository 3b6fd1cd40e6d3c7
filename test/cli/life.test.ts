import assert from 'node:assert/strict'
import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import { programStage } from './program-stage.ts'

describe('the daemon as an operator sees it', function () {
  this.timeout(30_000)
  const { folder, launch, command, listen, file, until } = programStage()
  const messages = (name: string): string[] =>
    file(name)
      .split('\n')
      .slice(0, -1)
      .map(
        (line) =>
          /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\|a\.cf\|\d+\] (.*)$/.exec(line)?.[1] ?? `not a line: ${line}`,
      )
  const configText = (port: number, more = ''): string =>
    `logfile="${folder.path('log')}"\ncheckinterval=1\nautoreload=yes\n${more}` +
    `virtual=127.0.0.9:80\n    real=127.0.0.1:${port} masq\n    checktype=connect\n    fallback=127.0.0.1:9 masq\n# end\n`

  it('runs, is seen, follows its file and its log, keeps what works, and ends', async () => {
    const port = await listen()
    writeFileSync(folder.path('a.cf'), configText(port))
    const { child, ended } = launch('run', 'a.cf', '--table', 'memory')
    const added = `Added real server: 127.0.0.1:${port} (127.0.0.9:80) (Weight set to 1)`
    await until(() => messages('log').includes(added))
    assert.equal(file('ldirectord.a.cf.pid'), `${child.pid}\n`)
    const running = `ldirectord for ${folder.path('a.cf')} is running with pid: ${child.pid}\n`
    assert.deepEqual(await command('a.cf', 'status'), { code: 0, out: '', err: running })
    const second = await command('run', 'a.cf', '--table', 'memory')
    assert.deepEqual([second.code, file('ldirectord.a.cf.pid')], [1, `${child.pid}\n`])

    renameSync(folder.path('log'), folder.path('log.1'))
    const other = await listen()
    writeFileSync(folder.path('a.cf.new'), configText(other, 'reloadguard=no\n'))
    renameSync(folder.path('a.cf.new'), folder.path('a.cf'))
    const moved = `Added real server: 127.0.0.1:${other} (127.0.0.9:80) (Weight set to 1)`
    await until(() => messages('log').includes(moved))
    assert.deepEqual(messages('log').slice(0, 2), [
      `Configuration file '${folder.path('a.cf')}' has changed on disk`,
      ' - reread new configuration',
    ])

    appendFileSync(folder.path('a.cf'), 'chekinterval = 1\n')
    await until(() => messages('log').some((text) => text.startsWith('Keeping the running configuration')))
    const reload = await command('a.cf', 'reload')
    assert.equal(reload.code, 2)
    assert.match(reload.err, /a\.cf:\d+:1: error\[unknown-directive\].*\n.*chekinterval = 1\n.*\^/)
    assert.equal(child.exitCode, null)

    assert.deepEqual(await command('a.cf', 'stop'), { code: 0, out: '', err: '' })
    const { code, out } = await ended
    assert.equal(code, 0)
    assert.equal(existsSync(folder.path('ldirectord.a.cf.pid')), false)
    assert.deepEqual(messages('log').slice(-2), [
      'Purged virtual server (stop): 127.0.0.9:80',
      'Linux Director Daemon terminated on signal: TERM',
    ])
    const bare = out.split('\n').slice(0, -1)
    assert.deepEqual(
      bare.map((line) => line.replace(/^\[[^\]]*\] /, '')),
      [...messages('log.1'), ...messages('log')],
      'standard output has every line of both files',
    )
    const stopped = await command('a.cf', 'status')
    assert.deepEqual(stopped, { code: 3, out: `ldirectord is stopped for ${folder.path('a.cf')}\n`, err: '' })
  })

  it('writes standard output only with --log stdout', async () => {
    writeFileSync(folder.path('a.cf'), configText(await listen()))
    const { child, ended } = launch('run', 'a.cf', '--table', 'memory', '--log', 'stdout')
    let seen = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
    })
    await until(() => seen.includes('Added real server'))
    child.kill('SIGINT')
    const { code, out } = await ended
    assert.equal(code, 0)
    assert.match(out, /\] Linux Director Daemon terminated on signal: INT\n$/)
    assert.equal(existsSync(folder.path('log')), false)
  })

  it('leaves the table as it is when it is told so', async () => {
    writeFileSync(folder.path('a.cf'), configText(await listen()))
    const { ended } = launch('run', 'a.cf', '--table', 'memory')
    await until(() => messages('log').some((text) => text.startsWith('Added real server')))
    assert.deepEqual(await command('a.cf', 'stop', '--keep-table'), { code: 0, out: '', err: '' })
    assert.equal((await ended).code, 0)
    assert.deepEqual(messages('log').slice(-2), [
      'Leaving the IPVS table as it is for the next start',
      'Linux Director Daemon terminated on signal: USR2',
    ])
    assert.equal(existsSync(folder.path('ldirectord.a.cf.pid')), false)
  })

  it('refuses a bad file with all its faults and exit 2, also as a daemon', async () => {
    writeFileSync(folder.path('a.cf'), 'chekinterval = 1\nfork = perhaps\n')
    for (const args of [
      ['run', 'a.cf'],
      ['a.cf', 'start'],
      ['-d', 'a.cf', 'start'],
      ['a.cf', 'restart'],
    ]) {
      const { code, out, err } = await command(...args)
      assert.deepEqual([code, out], [2, ''], args.join(' '))
      assert.match(err, /a\.cf:1:1: error.*a\.cf:2:\d+: error/s)
    }
    assert.equal(existsSync(folder.path('ldirectord.a.cf.pid')), false)
  })

  it("keeps Perl's usage on standard output with 255, and exits 64 for a new verb", async () => {
    const nothing = await command()
    assert.deepEqual([nothing.code, nothing.err], [255, ''])
    assert.match(nothing.out, /^Usage: /)
    const unknown = await command('-x', 'start')
    assert.deepEqual([unknown.code, unknown.err], [255, 'Unknown option: x\n'])
    const verb = await command('check', '--xml')
    assert.deepEqual([verb.code, verb.out], [64, ''])
    assert.match(verb.err, /unknown option '--xml'/)
    const version = await command('--version')
    assert.deepEqual([version.code, version.err], [0, ''])
  })
})
