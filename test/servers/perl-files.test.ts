import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { skipBecause } from '../tools/skip.ts'
import { withConfig } from './perl.ts'

/** Both programs on the same file: what they write into monitor files, and how they call fallbackcommand. */
const programs: Readonly<Record<'perl' | 'ours', (file: string) => readonly string[]>> = {
  perl: (file) => ['/usr/sbin/ldirectord', '-d', file, 'start'],
  ours: (file) => [process.execPath, resolve('bin/ldirectord-ng'), 'run', file, '--table', 'memory'],
}

/** Notes its arguments; a word of the command stands before those of the director. */
const note = '#!/bin/sh\necho "$#|$*" >> "@DIR@/calls"\n'

const sections = (port: number, closed: number): string => `checkinterval = 1
checktimeout = 5
negotiatetimeout = 5
logfile = "@DIR@/log"
fallbackcommand = @DIR@/note now "two words"
virtual = 10.9.9.1:80
    real = 127.0.0.1:${port} masq
    real = 127.0.0.1:${port} gate 3 "missing", "Test"
    real = 127.0.0.1:${port} gate 1 "http://127.0.0.1:${port}/a::b?c%20d|e f", "Te.*t P[a]ge"
    service = http
    request = "/a/b c"
    receive = "Test Page"
    virtualhost = "www.example.com:80"
    monitorfile = @DIR@/web
virtual = 10.9.9.1:81
    real = 127.0.0.1:${port} masq
    service = http
    checkport = ${port}
    monitorfile = "@DIR@/plain"
virtual = 10.9.9.1:82
    real = 127.0.0.1:${port} masq
    real = 127.0.0.1:${closed} masq
    checktype = connect
    request = "some"
    receive = "thing"
    virtualhost = x y
    monitorfile = @DIR@/connect
virtual = 10.9.9.1:83
    real = 127.0.0.1:${port} masq
    checktype = external
    checkcommand = /bin/false
    monitorfile = @DIR@/external
virtual = 10.9.9.1:84
    real = 127.0.0.1:${port} masq
    checktype = 1
    service = http
    monitorfile = @DIR@/combined
virtual = 5
    real = 127.0.0.1:${closed} masq
    checktype = connect
    monitorfile = @DIR@/mark
virtual = 10.9.9.1:389
    real = 127.0.0.1:${closed} masq
    service = ldap
    monitorfile = @DIR@/ldap
virtual6 = [2001:db8::1]:80
    real6 = [::1]:${closed} masq
    checktype = connect
    fallbackcommand = "@DIR@/note of6"
`

const monitors = ['web', 'plain', 'connect', 'external', 'combined', 'mark', 'ldap']

interface Seen {
  /** Different lines of each monitor file, without time and process. */
  readonly lines: Readonly<Record<string, readonly string[]>>
  /** The last call for each virtual service. */
  readonly calls: readonly string[]
}

describe('files and calls, beside Perl ldirectord', function () {
  this.timeout(120_000)
  const running: ChildProcess[] = []
  let server: Server
  let port = 0
  let closed = 0

  before(async function () {
    if (!existsSync('/usr/sbin/ldirectord')) skipBecause(this, 'there is no ldirectord: apt-get install ldirectord')
    server = createServer((request, answer) => {
      answer.statusCode = request.url?.includes('missing') === true ? 404 : 200
      answer.end('Test Page')
    })
    // A port that was just given back is nobody's.
    const other = createServer()
    other.listen(0, '127.0.0.1')
    server.listen(0, '127.0.0.1')
    await Promise.all([once(server, 'listening'), once(other, 'listening')])
    port = (server.address() as AddressInfo).port
    closed = (other.address() as AddressInfo).port
    await new Promise((done) => other.close(done))
  })
  after(async () => {
    for (const child of running) child.kill('SIGKILL')
    server?.closeAllConnections()
    await new Promise((done) => server?.close(done))
  })

  const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

  /** Until each file has some lines, which takes two rounds at least, and every virtual service was told of. */
  const watch = (program: 'perl' | 'ours'): Promise<Seen> =>
    withConfig(sections(port, closed), async (file, directory) => {
      const at = (name: string): string => join(directory, name)
      writeFileSync(at('note'), note.replace('@DIR@', directory), { mode: 0o755 })
      const [name = '', ...args] = programs[program](file)
      const env = { ...process.env, PERLIO: 'perlio', LDIRECTORD_NG_RUN_DIR: directory }
      const child = spawn(name, args, { cwd: directory, env, stdio: 'ignore' })
      running.push(child)
      const count = (each: string): number => textOf(at(each)).split('\n').length - 1
      const services = (): number => lastCalls(textOf(at('calls'))).length
      while (monitors.some((each) => count(each) < 4) || services() < 8) {
        assert.equal(child.exitCode, null, `${program} has ended`)
        await delay(50)
      }
      child.kill('SIGKILL')
      await once(child, 'exit')
      const lines = monitors.map((each) => [each, differentLines(textOf(at(each)))] as const)
      return { lines: Object.fromEntries(lines), calls: lastCalls(textOf(at('calls'))) }
    })

  it('are the same, but where differences.md says otherwise', async () => {
    const [perl, ours] = await Promise.all([watch('perl'), watch('ours')])
    assert.deepEqual(ours.calls, perl.calls)
    assert.equal(ours.calls.length, 8)
    const { ldap: perlLdap, ...perlLines } = perl.lines
    const { ldap: ourLdap, ...ourLines } = ours.lines
    assert.deepEqual(ourLines, perlLines)
    // A refused bind writes two lines there (defect D7).
    const identity = `negotiate ldap tcp 127.0.0.1 ${closed} 1 masq / `
    const failed = `${identity} [down] Connection failed`
    assert.deepEqual(perlLdap, [failed, `${identity} [down] No answer received`])
    assert.deepEqual(ourLdap, [failed])
  })
})

function differentLines(text: string): readonly string[] {
  const bare = text
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) => /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] \[\d+\] (.*)$/.exec(line)?.[1] ?? `not a line: ${line}`,
    )
  return [...new Set(bare)].sort()
}

/** `4|now two words start 10.9.9.1:80 tcp`: the service is what stands behind the phase. */
function lastCalls(text: string): readonly string[] {
  const last = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) last.set(line.replace(/^.* (start|stop) /, ''), line)
  return [...last.values()].sort()
}
