import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as hostile from '../check/hostile.ts'
import { lineServer, saysAndCloses } from '../check/line-server.ts'
import { temporaryFolder } from '../log/temporary.ts'

const main = JSON.stringify(new URL('../../src/main.js', import.meta.url).href)

describe('the alerts of a daemon', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const children: ChildProcess[] = []
  const closing: (() => Promise<unknown>)[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    for (const close of closing.splice(0)) await close()
  })

  const launch = (config: string): { child: ChildProcess; ended: Promise<number | null> } => {
    const script = folder.path('ldirectord-ng.mjs')
    writeFileSync(script, `import { main } from ${main}\nprocess.exitCode = await main(process.argv)\nprocess.exit()\n`)
    const env = { ...process.env, LDIRECTORD_NG_RUN_DIR: folder.path('.'), JOURNAL_STREAM: '' }
    const args = [script, 'run', config, '--table', 'memory']
    const child = spawn(process.execPath, args, { env, cwd: folder.path('.'), stdio: 'ignore' })
    children.push(child)
    return { child, ended: once(child, 'exit').then(([code]) => code as number | null) }
  }
  const read = (name: string): string => (existsSync(folder.path(name)) ? readFileSync(folder.path(name), 'utf8') : '')
  const messages = (): string[] =>
    read('log')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace(/^\[.*?\] /, ''))
  /** Until mocha's time is over. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  /** A web server that can be taken away and given back. */
  const startReal = async () => {
    const peer = await hostile.startPeer(hostile.closesAtOnce)
    const { port } = peer
    closing.push(() => peer.close())
    return { port, fail: () => peer.close() }
  }
  const startPeer = async (behave: hostile.Behaviour): Promise<number> => {
    const peer = await hostile.startPeer(behave)
    closing.push(() => peer.close())
    return peer.port
  }
  const write = (...lines: string[]): void =>
    writeFileSync(folder.path('a.cf'), [`logfile="${folder.path('log')}"`, 'checkinterval=1', ...lines, ''].join('\n'))

  it('go by mail, command and webhook, from the first to the last', async () => {
    const real = await startReal()
    const other = await startReal()
    const posted: string[] = []
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        posted.push(body)
        response.end()
      })
    }).listen(0, '127.0.0.1')
    await once(hook, 'listening')
    closing.push(() => new Promise((resolve) => hook.close(resolve)))
    const smtp = lineServer({
      greeting: '220 mail ESMTP\r\n',
      answers: [
        [/^EHLO /, '250 mail\r\n'],
        [/^(MAIL|RCPT) /, '250 ok\r\n'],
        [/^DATA$/, '354 go on\r\n'],
        [/^\.$/, '250 taken\r\n'],
        [/^QUIT$/, saysAndCloses('221 bye\r\n')],
      ],
    })
    const command = folder.path('command')
    writeFileSync(command, `#!/bin/sh\ncat >> ${folder.path('commands')}\n`)
    chmodSync(command, 0o755)
    write(
      'emailalert="ops@example.test"',
      'smtp=127.0.0.1',
      `smtpport=${await startPeer(smtp.behave)}`,
      `alertcommand="${command}"`,
      `alertwebhook="http://127.0.0.1:${(hook.address() as AddressInfo).port}/x"`,
      'virtual=127.0.0.9:80',
      `    real=127.0.0.1:${real.port} masq`,
      `    real=127.0.0.1:${other.port} masq`,
      '    checktype=connect',
      '    servicename=web',
    )
    const { child, ended } = launch('a.cf')
    const name = (port: number): string => `127.0.0.1:${port} (127.0.0.9:80)`
    const added = [real.port, other.port].map((port) => `Added real server: ${name(port)} (Weight set to 1)`)
    const sentBy = (way: string, subject: string): boolean => messages().includes(`${way}: ${subject}`)
    const ways = ['emailalert', 'alertcommand', 'alertwebhook']
    await until(() => added.every((subject) => ways.every((way) => sentBy(way, subject))))
    await real.fail()
    const deleted = `Deleted real server: ${name(real.port)}`
    await until(() => ways.every((way) => sentBy(way, deleted)))
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
    const purged = `Purged real server (stop): ${name(other.port)}`
    const expected = [...added.toSorted(), deleted, purged]
    const inOrder = (subjects: string[]): string[] => [...subjects.slice(0, 2).toSorted(), ...subjects.slice(2)]
    for (const way of ways) {
      const told = messages().filter((line) => line.startsWith(`${way}: `))
      assert.deepEqual(inOrder(told.map((line) => line.slice(way.length + 2))), expected)
    }
    const commanded = read('commands').split('\n').slice(0, -1)
    for (const bodies of [posted, commanded]) {
      const events = bodies.map((body) => JSON.parse(body))
      assert.deepEqual(inOrder(events.map(({ message }) => message)), expected)
      assert.deepEqual(
        events.map(({ event, state, status, instance, servicename }) => [event, state, status, instance, servicename]),
        [
          ['real-added', 'in', 'starting', 'a.cf', 'web'],
          ['real-added', 'in', 'starting', 'a.cf', 'web'],
          ['real-deleted', 'out', 'running', 'a.cf', 'web'],
          ['real-purged', 'out', 'stopping', 'a.cf', 'web'],
        ],
      )
    }
    const subjects = smtp.heard.filter((line) => line.startsWith('Log-Message: ')).map((line) => line.slice(13))
    assert.deepEqual(
      inOrder(subjects),
      expected.map((subject) => `[web] ${subject}`),
    )
    assert.deepEqual(
      smtp.heard.filter((line) => line.startsWith('Daemon-Status: ')),
      ['starting', 'starting', 'running', 'stopping'].map((status) => `Daemon-Status: ${status}`),
    )
  })

  it('delay neither the checks nor the end when the mail server is silent', async () => {
    const real = await startReal()
    write(
      'emailalert=ops@example.test',
      'smtp=127.0.0.1',
      `smtpport=${await startPeer(hostile.silence)}`,
      'virtual=127.0.0.9:80',
      `    real=127.0.0.1:${real.port} masq`,
      '    checktype=connect',
    )
    const { child, ended } = launch('a.cf')
    await until(() => messages().some((line) => line.startsWith('Added real server: ')))
    await real.fail()
    await until(() => messages().some((line) => line.startsWith('Deleted real server: ')))
    child.kill('SIGTERM')
    assert.equal(await ended, 0)
    assert.deepEqual(
      messages()
        .filter((line) => /^Alerts not sent|^failed to send/.test(line))
        .map((line) => line.replace(/:\d+/, ':25')),
      [
        'failed to send SMTP email message: 127.0.0.1:25: the daemon ends',
        'Alerts not sent: 2 (emailalert through 127.0.0.1:25): the daemon ends',
      ],
    )
  })
})
