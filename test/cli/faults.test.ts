import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { skipBecause } from '../tools/skip.ts'
import { programStage } from './program-stage.ts'

const count = (pattern: RegExp, text: string): number => [...text.matchAll(pattern)].length

/** What a child has said on standard output so far. */
function listenTo({ stdout }: ChildProcess): { text(): string } {
  let text = ''
  stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { text: () => text }
}

describe('the daemon without a free descriptor', function () {
  this.timeout(60_000)
  const stage = programStage()
  const { folder, file, until } = stage

  before(function () {
    if (!existsSync('/usr/bin/prlimit')) skipBecause(this, 'there is no prlimit (package util-linux)')
  })

  /** A server that takes every connection and says nothing; gives its port. */
  const listenSilently = async (): Promise<number> => {
    const server = createServer((socket) => socket.on('error', () => undefined).resume())
    stage.servers.push(server)
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }

  it('takes no real server out, says once for each that it cannot tell, answers when it can, and goes on when there are some', async () => {
    const good = await stage.listen()
    const mute = await listenSilently()
    writeFileSync(folder.path('true'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const healthy =
      `virtual=192.0.2.10:80\n    real=127.0.0.1:${good} masq\n    checktype=connect\n` +
      `virtual=192.0.2.11:80\n    real=127.0.0.1:${good} masq\n    checktype=external\n    checkcommand="${folder.path('true')}"\n`
    const mutes = Array.from(
      { length: 150 },
      (_, n) =>
        `virtual=192.0.2.12:${n + 1}\n    real=127.0.0.1:${mute} masq\n    service=http\n    request="/${n}"\n    receive="x"\n`,
    )
    const common = `logfile="${folder.path('log')}"\ncheckinterval=1\nchecktimeout=1\nnegotiatetimeout=1\n`
    writeFileSync(folder.path('a.cf'), common + healthy + mutes.join(''))
    // The limit at the start says how many checks run at a time: more here than the limits below have room for.
    const { child, ended } = stage.launchUnder(['prlimit', '--nofile=1024:'], 'run', '--table', 'memory', 'a.cf')
    const heard = listenTo(child)
    const limit = (most: number): void => void execFileSync('prlimit', [`--pid=${child.pid}`, `--nofile=${most}:`])
    await until(() => count(/Real server is down: .*: timeout: /g, file('log')) === mutes.length)
    await until(() => count(/Added real server: /g, file('log')) === 2)
    assert.doesNotMatch(file('log'), /Can not check/)

    limit(100)
    const unsure = /Can not check real server: .* local-resource: .*EMFILE/g
    await until(() => count(unsure, file('log')) > 20)
    const asked = await stage.command('a.cf', 'show')
    assert.match(asked.out + asked.err, /^(a\.cf \(pid|ldirectord-ng: the daemon on .* did not answer: )/)

    limit(4)
    const unsureOfHealthy = /Can not check real server: .* \(tcp:192\.0\.2\.1[01]:80\): local-resource: .*EMFILE/g
    await until(() => count(unsureOfHealthy, file('log')) >= 2)
    renameSync(folder.path('log'), folder.path('log.1'))
    child.kill('SIGHUP')
    await until(() => /Keeping the running configuration/.test(heard.text()))
    assert.doesNotMatch(heard.text(), /(Deleted|Quiescent) real server|Real server is down: .*192\.0\.2\.1[01]:80/)

    limit(1024)
    stage.servers[0]?.close()
    await until(() => /Deleted real server: .* \(192\.0\.2\.10:80\)/.test(file('log')))
    const lost = Number(/(\d+) log lines before this one were lost/.exec(file('log'))?.[1])
    const shown = await stage.command('a.cf', 'show')
    assert.match(shown.out, /running, for .*: virtual services 152, real servers 1 of 152 up\n/)
    child.kill('SIGTERM')
    const { code, err } = await ended
    assert.equal(code, 0)
    assert.match(err, /^ldirectord-ng: .*log: EMFILE: .*; log lines are dropped until it works again\n.*\n$/)
    assert.match(err, new RegExp(`log: works again, ${lost} log lines were lost\\n$`))
    assert.equal(
      count(/^\[/gm, file('log.1')) + count(/^\[/gm, file('log')) + lost - 1,
      count(/^\[/gm, heard.text()),
      'each line is on standard output, and in the log or counted',
    )
  })
})

describe('the daemon whose file cannot be read', function () {
  this.timeout(60_000)
  const stage = programStage()
  const { folder, file, until } = stage
  const config = (): string => folder.path('a.cf')
  /** Root may read everything, unless that right is taken from it. */
  const asMortal = [
    'setpriv',
    '--bounding-set=-dac_override,-dac_read_search',
    '--inh-caps=-dac_override,-dac_read_search',
  ]

  const faults: readonly (readonly [title: string, make: () => void, reason: RegExp])[] = [
    ['that was removed', () => undefined, /No such file or directory/],
    ['that is a directory', () => mkdirSync(config()), /not a regular file/],
    ['that may not be read', () => writeFileSync(config(), '', { mode: 0 }), /EACCES: permission denied/],
    ['of 20 MiB', () => writeFileSync(config(), '# x\n'.repeat(5 << 20)), /larger than 8388608 bytes/],
    [
      'with NUL bytes',
      () => writeFileSync(config(), `virtual=192.0.2.10:80\n    real=\0\0\0 masq\n`),
      /invalid address for real/,
    ],
  ]

  it('keeps what runs, says why, and takes the next one that it can read', async function () {
    const isRoot = process.getuid?.() === 0
    if (isRoot && !existsSync('/usr/bin/setpriv')) skipBecause(this, 'there is no setpriv (package util-linux)')
    const port = await stage.listen()
    const text = (weight: number): string =>
      `logfile="${folder.path('log')}"\ncheckinterval=1\nautoreload=yes\n` +
      `virtual=192.0.2.10:80\n    real=127.0.0.1:${port} masq ${weight}\n    checktype=connect\n`
    writeFileSync(config(), text(1))
    const { child, ended } = stage.launchUnder(isRoot ? asMortal : [], 'run', '--table', 'memory', config())
    const since = (from: number): string => file('log').slice(from)
    await until(() => /Added real server: .*Weight set to 1\)/.test(file('log')))
    for (const [at, [title, make, reason]] of faults.entries()) {
      const from = file('log').length
      rmSync(config(), { recursive: true, force: true })
      make()
      child.kill('SIGHUP')
      const said = (): string =>
        since(from)
          .split('\n')
          .find((line) => / Error \[\d+\] reading file /.test(line)) ?? ''
      await until(() => /Keeping the running configuration: .*a\.cf has errors/.test(since(from)))
      assert.match(said(), reason, title)
      assert.ok(said().length < 4200, title)
      rmSync(config(), { recursive: true, force: true })
      writeFileSync(config(), text(at + 2))
      child.kill('SIGHUP')
      // A weight is an edit: the real server was in the table all the time.
      await until(() => since(from).includes('Configuration loaded'))
    }
    assert.doesNotMatch(file('log'), /Deleted|Quiescent|Purged|Internal error/)
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
  })
})

describe('the control socket that a killed daemon left', function () {
  this.timeout(30_000)
  const stage = programStage()
  const { folder, file, until } = stage

  it('says that nobody answers, is taken over by the next daemon, and outlives a directory in its place', async () => {
    writeFileSync(folder.path('a.cf'), `logfile="${folder.path('log')}"\nvirtual=192.0.2.10:80\n    checktype=off\n`)
    const socket = folder.path('ldirectord-ng/a.cf.sock')
    const start = async () => {
      const daemon = stage.launch('run', '--table', 'memory', 'a.cf')
      await until(() => file('ldirectord.a.cf.pid') === `${daemon.child.pid}\n` && existsSync(socket))
      return daemon
    }
    const first = await start()
    while ((await stage.command('a.cf', 'show')).code !== 0);
    first.child.kill('SIGKILL')
    await first.ended
    assert.ok(statSync(socket).isSocket())
    const nobody = await stage.command('a.cf', 'show')
    assert.deepEqual([nobody.code, nobody.out], [1, ''])
    assert.match(nobody.err, /no daemon answers on .*a\.cf\.sock/)

    const second = await start()
    while ((await stage.command('a.cf', 'show')).code !== 0);
    assert.doesNotMatch(file('log'), /control socket/)
    rmSync(socket)
    mkdirSync(socket)
    // A pass over the table, which comes every few seconds anyway, looks at the socket.
    second.child.kill('SIGHUP')
    await until(() => /control socket .* cannot be opened, the daemon runs without: .*EADDRINUSE/.test(file('log')))
    const blocked = await stage.command('a.cf', 'show')
    assert.equal(blocked.code, 1)
    rmSync(socket, { recursive: true })
    second.child.kill('SIGHUP')
    await until(() => /control socket .* is open again/.test(file('log')))
    assert.equal((await stage.command('a.cf', 'show')).code, 0)
    assert.equal(count(/control socket/g, file('log')), 2)
    second.child.kill('SIGTERM')
    assert.equal((await second.ended).code, 0)
    assert.equal(existsSync(socket), false)
  })
})
