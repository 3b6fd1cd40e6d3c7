import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { listenAt, type NotifySocket } from '../control/process/notify-socket.ts'
import { temporaryFolder } from '../log/temporary.ts'
import { skipBecause } from '../tools/skip.ts'

describe('The daemon under systemd', function () {
  this.timeout(30_000)
  const folder = temporaryFolder()
  let systemd: NotifySocket | undefined
  let daemon: ChildProcess | undefined

  before(function () {
    if (!existsSync('/usr/bin/systemd-notify')) skipBecause(this, 'no systemd-notify (package systemd)')
  })
  afterEach(async () => {
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
    }
    await systemd?.close()
  })

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await delay(20)
  }
  const write = (text: string): void => {
    writeFileSync(folder.path('new'), text)
    renameSync(folder.path('new'), folder.path('a.cf'))
  }
  const config = (...virtuals: readonly number[]): string =>
    `logfile="${folder.path('log')}"\n${virtuals.map((n) => `virtual=192.0.2.${n}:80\n    real=127.0.0.1 masq\n    checktype=external\n    checkcommand="${folder.path('check')}"\n`).join('')}`

  it('says READY after the first pass, RELOADING and READY again, STOPPING, a line, and signs of life; its checks can not', async () => {
    systemd = await listenAt(folder.path('notify'))
    const { heard } = systemd
    // A check that would say something in our name, did it know where.
    writeFileSync(folder.path('check'), `#!/bin/sh\nenv >${folder.path('env')}\nexit 0\n`, { mode: 0o755 })
    write(config(1))
    const env = {
      ...process.env,
      LDIRECTORD_NG_RUN_DIR: folder.path('.'),
      LDIRECTORD_NG_SOCKET_DIR: folder.path('.'),
      NOTIFY_SOCKET: systemd.path,
      WATCHDOG_USEC: '400000',
    }
    const args = ['bin/ldirectord-ng', 'run', folder.path('a.cf'), '--table', 'memory', '--log', 'stdout']
    daemon = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(daemon, 'exit')
    await until(() => heard.includes('WATCHDOG=1') && heard.some((m) => m.includes('1 of 1 reals up')))
    assert.match(heard[0] ?? '', /^READY=1 \| STATUS=1 virtual, [01] of 1 reals up$/)
    await until(() => existsSync(folder.path('env')))
    assert.doesNotMatch(readFileSync(folder.path('env'), 'utf8'), /NOTIFY_SOCKET|WATCHDOG/)

    write(config(1, 2))
    const before = heard.length
    daemon.kill('SIGHUP')
    await until(() => heard.some((m) => m.includes('STATUS=2 virtuals')))
    const states = heard
      .slice(before)
      .filter((m) => /^(WATCHDOG=1 \| )?(READY|RELOADING)/.test(m))
      .map((m) => m.replace(/WATCHDOG=1 \| /, ''))
    // Both may go in one call when the reload was over before the first was out.
    assert.match(states.join('\n'), /^(RELOADING=1 \| MONOTONIC_USEC=\d+\n)?READY=1( \||$)/)

    write('checkinterval=5\n')
    daemon.kill('SIGHUP')
    await until(() => heard.some((m) => m.includes('the new configuration was refused')))
    daemon.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    await until(() => heard.includes('STOPPING=1 | STATUS=stopping'))
  })
})
