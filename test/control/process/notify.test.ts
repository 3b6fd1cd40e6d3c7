import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { createNotifier, type Notifier, takeNotifyAddress } from '../../../src/control/process/notify.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { skipBecause } from '../../tools/skip.ts'
import { listenAt, type NotifySocket } from './notify-socket.ts'

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(10)
}

describe('Telling systemd', function () {
  this.timeout(20_000)
  const folder = temporaryFolder()
  let listening: NotifySocket | undefined
  let notifier: Notifier | undefined
  afterEach(async () => {
    await notifier?.close()
    await listening?.close()
    listening = undefined
    notifier = undefined
  })

  it('goes through its own program to the socket, text as it stands', async function () {
    if (!existsSync('/usr/bin/systemd-notify')) skipBecause(this, 'no systemd-notify (package systemd)')
    listening = await listenAt(folder.path('notify'))
    notifier = createNotifier({ socket: listening.path, clock: systemClock, onDead: assert.fail })
    notifier.send({ READY: '1', STATUS: '3 virtuals, 11 of 12 reals up; ü \n READY=1' })
    const { heard } = listening
    await until(() => heard.length > 0)
    notifier.send({ WATCHDOG: '1' })
    notifier.send({ STOPPING: '1', STATUS: 'stopping' })
    await notifier.close()
    await until(() => heard.some((message) => message.startsWith('STOPPING')))
    assert.deepEqual(
      heard.filter((message) => message !== 'WATCHDOG=1'),
      ['READY=1 | STATUS=3 virtuals, 11 of 12 reals up; ü \\n READY=1', 'STOPPING=1 | STATUS=stopping'],
    )
  })

  /** A program in place of systemd-notify that writes down its calls; it waits while `hold` is there, fails while `dead` is. */
  const fakeProgram = (): { path: string; calls(): string[]; touch(name: string): void } => {
    const path = folder.path('fake-notify')
    const log = folder.path('calls')
    const is = (name: string): string => `[ -e '${folder.path(name)}' ]`
    writeFileSync(
      path,
      `#!/bin/sh\necho "$*" >>'${log}'\nwhile ${is('hold')}; do sleep 0.02; done\n${is('dead')} && exit 1\nexit 0\n`,
    )
    chmodSync(path, 0o755)
    return {
      path,
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []),
      touch: (name) => writeFileSync(folder.path(name), ''),
    }
  }

  it('never piles up: what comes while one is under way goes together, the last word counts', async () => {
    const fake = fakeProgram()
    fake.touch('hold')
    notifier = createNotifier({ socket: '/x', clock: systemClock, onDead: assert.fail, program: fake.path })
    notifier.send({ READY: '1' })
    await until(() => fake.calls().length === 1)
    for (let n = 0; n < 50; n += 1) notifier.send({ STATUS: `line ${n}`, WATCHDOG: '1' })
    notifier.send({ RELOADING: '1', MONOTONIC_USEC: '5' })
    notifier.send({ READY: '1' })
    rmSync(folder.path('hold'))
    await until(() => fake.calls().length === 2)
    await notifier.close()
    assert.deepEqual(fake.calls(), ['READY=1', 'STATUS=line 49 WATCHDOG=1 READY=1'])
  })

  it('tells once that the program fails, repeats what was lost but no sign of life, and tells again after a success', async () => {
    const fake = fakeProgram()
    const clock = createVirtualClock()
    const dead: string[] = []
    fake.touch('dead')
    const onDead = (reason: string): void => void dead.push(reason)
    notifier = createNotifier({ socket: '/x', clock, onDead, program: fake.path })
    const reaches = async (calls: number): Promise<void> => {
      await until(() => fake.calls().length === calls && !clock.openTimers().includes('notify: child'))
    }
    notifier.send({ READY: '1', WATCHDOG: '1' })
    await reaches(1)
    await clock.advance(5_000)
    await reaches(2)
    rmSync(folder.path('dead'))
    await clock.advance(5_000)
    await reaches(3)
    await clock.advance(60_000)
    assert.equal(dead.length, 1)
    fake.touch('dead')
    notifier.send({ STATUS: 'late' })
    await reaches(4)
    assert.deepEqual(fake.calls(), ['READY=1 WATCHDOG=1', 'READY=1', 'READY=1', 'STATUS=late'])
    assert.deepEqual(dead, Array(2).fill(`${fake.path} ended with 1`))
    await notifier.close()
    assert.deepEqual(clock.openTimers(), [])
  })

  it('ends a program that hangs, and closing waits two seconds for it at most', async () => {
    const fake = fakeProgram()
    const clock = createVirtualClock()
    const dead: string[] = []
    fake.touch('hold')
    const onDead = (reason: string): void => void dead.push(reason)
    notifier = createNotifier({ socket: '/x', clock, onDead, program: fake.path })
    notifier.send({ READY: '1' })
    await until(() => fake.calls().length === 1)
    const closed = notifier.close()
    await clock.advance(2_000)
    await closed
    await clock.advance(8_000)
    await until(() => dead.length === 1)
    assert.deepEqual(dead, [`${fake.path} ended with SIGKILL`])
    assert.deepEqual(clock.openTimers(), [])
  })

  it('says that there is no such program', async () => {
    const dead: string[] = []
    const onDead = (reason: string): void => void dead.push(reason)
    const clock = createVirtualClock()
    notifier = createNotifier({ socket: '/x', clock, onDead, program: folder.path('gone') })
    notifier.send({ READY: '1' })
    await until(() => dead.length === 1)
    assert.match(dead[0] ?? '', /ENOENT/)
  })
})

describe("systemd's words in the environment", () => {
  it('are taken out of it, so that nobody inherits them', () => {
    const env = {
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_USEC: '30000000',
      WATCHDOG_PID: '7',
      LDIRECTORD_NG_UNIT: 'a.service',
      PATH: '/bin',
    }
    const address = { socket: '/run/systemd/notify', watchdogMs: 30_000, unit: 'a.service' }
    assert.deepEqual(takeNotifyAddress(env, 7), address)
    assert.deepEqual(env, { PATH: '/bin' })
  })

  it('mean nothing without a socket, and no watchdog for another process or without a number', () => {
    assert.equal(takeNotifyAddress({ WATCHDOG_USEC: '30000000' }, 7), undefined)
    assert.equal(takeNotifyAddress({ NOTIFY_SOCKET: '' }, 7), undefined)
    const socket = '@abstract'
    const none = { socket, watchdogMs: undefined, unit: undefined }
    assert.deepEqual(
      takeNotifyAddress({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7),
      none,
    )
    assert.deepEqual(takeNotifyAddress({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: 'soon' }, 7), none)
    assert.deepEqual(takeNotifyAddress({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '0' }, 7), none)
  })
})
