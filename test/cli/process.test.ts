import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { reload } from '../../src/cli/reload.ts'
import { restart } from '../../src/cli/restart.ts'
import { daemonArguments, daemonDirectory, start } from '../../src/cli/start.ts'
import { status } from '../../src/cli/status.ts'
import { stop } from '../../src/cli/stop.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { processStage } from './process-stage.ts'

describe('the commands of Perl ldirectord', function () {
  this.timeout(20_000)
  const stage = processStage()
  const { ports } = stage
  const options = (config: string, debug = false): { config: string; debug: boolean } => ({ config, debug })
  const pidIn = (name: string): number => Number(readFileSync(stage.pidFile(name), 'utf8'))

  describe('start', () => {
    it('leaves a daemon that status sees and stop ends', async () => {
      const config = stage.config('a.cf')
      assert.equal(await start(ports, options(config)), 0)
      const pid = pidIn('a.cf')
      assert.equal(await status(ports, { config }), 0)
      assert.equal(await stop(ports, { config }), 0)
      assert.equal(ports.isAlive(pid), false, 'stop waits for the end (defect D19)')
      assert.equal(existsSync(stage.pidFile('a.cf')), false)
      assert.equal(await status(ports, { config }), 3)
      assert.deepEqual(stage.written(), {
        out: `ldirectord is stopped for ${config}\n`,
        err: `ldirectord for ${config} is running with pid: ${pid}\n`,
      })
      assert.deepEqual(stage.journal(), [`started ${config} start`, 'TERM', 'ended'])
    })

    it('is seen by status with those it executes, each once', async () => {
      const b = stage.path('b.cf')
      const a = stage.config('a.cf', `execute = ${b}\nexecute = "${stage.path('c.cf')}"\n`)
      const c = stage.config('c.cf')
      stage.config('b.cf', `execute = ${a}\nexecute = ${b}\n`)
      await start(ports, options(a))
      await start(ports, options(b))
      assert.equal(await status(ports, { config: a }), 0)
      assert.deepEqual(stage.written(), {
        out: `ldirectord is stopped for ${c}\n`,
        err:
          `ldirectord for ${a} is running with pid: ${pidIn('a.cf')}\n` +
          `ldirectord for ${b} is running with pid: ${pidIn('b.cf')}\n`,
      })
    })

    it('is silent and changes nothing when the instance runs', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      const pid = pidIn('a.cf')
      assert.equal(await start(ports, options(config)), 0)
      assert.equal(pidIn('a.cf'), pid)
      assert.deepEqual(stage.written(), { out: '', err: '' })
      assert.deepEqual(stage.journal(), [`started ${config} start`])
    })

    it('runs again at once after stop', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      await stop(ports, { config })
      assert.equal(await start(ports, options(config)), 0)
      assert.equal(await status(ports, { config }), 0)
    })

    it('warns of a log that the daemon will not be able to write, and starts it', async () => {
      const config = stage.config('a.cf')
      mkdirSync(stage.path('log'))
      assert.equal(await start(ports, options(config)), 0)
      const err = `ldirectord-ng: the log ${stage.path('log')} is a directory; the daemon runs without it\n`
      assert.deepEqual(stage.written(), { out: '', err })
      assert.equal(await status(ports, { config }), 0)
    })

    it("gives the daemon's exit code and reason when it can not keep the table", async () => {
      const config = stage.config('no-ipvs.cf')
      assert.equal(await start(ports, options(config)), 4)
      assert.deepEqual(stage.written(), { out: '', err: 'no IPVS in this kernel\n' })
      assert.equal(await status(ports, { config }), 3)
    })

    it('tells all faults of a bad configuration on standard error and exits 2', async () => {
      const config = stage.config('a.cf', 'x = 1\ny = bad\n')
      assert.equal(await start(ports, options(config)), 2)
      const { out, err } = stage.written()
      assert.equal(out, '')
      assert.match(err, /a\.cf:2:1: error\[value\]: bad value\n {2}\| y = bad/)
      assert.deepEqual(stage.journal(), [])
    })

    it('exits 1 when there is no such file', async () => {
      assert.equal(await start(ports, options(stage.path('gone.cf'))), 1)
      assert.deepEqual(stage.written(), { out: '', err: `Config file ${stage.path('gone.cf')} not found\n` })
    })

    it('takes over the pid file of a daemon that was killed', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      const pid = pidIn('a.cf')
      process.kill(pid, 'SIGKILL')
      while (ports.isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(await status(ports, { config }), 1)
      assert.equal(await start(ports, options(config)), 0)
      assert.notEqual(pidIn('a.cf'), pid)
    })

    it('is started once by two at the same moment', async () => {
      const config = stage.config('a.cf')
      const codes = await Promise.all([start(ports, options(config)), start(ports, options(config))])
      assert.equal(codes.filter((code) => code === 0).length >= 1, true)
      assert.deepEqual(stage.journal(), [`started ${config} start`])
    })

    const foreground: readonly [string, string, boolean, object][] = [
      ['-d', '', true, { toFile: false, toStdout: false, toStderr: true }],
      ['supervised=yes', 'supervised=yes', false, { toFile: false, toStdout: true, toStderr: false }],
    ]
    for (const [what, text, debug, log] of foreground) {
      it(`stays in the foreground with ${what}, without a pid file`, async () => {
        const config = stage.config('a.cf', text)
        const result = await start(ports, options(config, debug))
        assert.ok(typeof result === 'object')
        const { loaded, ...more } = result
        assert.deepEqual(more, { instance: 'a.cf', pidFile: undefined, inBackground: false, log })
        assert.equal(loaded.config.file, config)
      })
    }

    it('is the daemon itself in the process that was put into the background', async () => {
      const config = stage.config('a.cf', 'supervised=yes')
      const result = await start(ports, options(config), true)
      assert.ok(typeof result === 'object')
      assert.equal(result.pidFile, stage.pidFile('a.cf'))
      assert.deepEqual([result.inBackground, result.log], [true, { toFile: true, toStdout: false, toStderr: false }])
    })
  })

  describe('stop', () => {
    it('needs no valid configuration (defect D1)', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      stage.config('a.cf', 'bad')
      assert.equal(await status(ports, { config }), 0)
      assert.equal(await stop(ports, { config }), 0)
      assert.equal(await status(ports, { config }), 3)
    })

    it('with --keep-table says so to the daemon, which leaves the table as it is', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      assert.equal(await stop(ports, { config, keepTable: true }), 0)
      assert.deepEqual(stage.journal(), [`started ${config} start`, 'USR2', 'ended'])
      assert.equal(await status(ports, { config }), 3)
    })

    it('with --keep-table still only asks one to end that does not know the signal, as Perl ldirectord', async () => {
      const config = stage.config('perl.cf')
      await start(ports, options(config))
      assert.equal(await stop(ports, { config, keepTable: true }), 0)
      assert.deepEqual(stage.journal(), [`started ${config} start`, 'TERM', 'ended'])
    })

    it('is content when nothing runs, and says so of a file that is not there', async () => {
      assert.equal(await stop(ports, { config: stage.config('a.cf', 'bad') }), 0)
      assert.equal(await stop(ports, { config: stage.path('gone.cf') }), 1)
      assert.equal(stage.written().err, `Config file ${stage.path('gone.cf')} not found\n`)
    })

    it('leaves a stale pid file and its innocent process alone', async () => {
      const config = stage.config('a.cf')
      writeFileSync(stage.pidFile('a.cf'), `${process.pid}\n`)
      assert.equal(await stop(ports, { config }), 0)
      assert.equal(pidIn('a.cf'), process.pid)
    })

    it('waits no longer for one that has given its pid file back and lingers', async () => {
      const config = stage.config('a.cf')
      writeFileSync(stage.pidFile('a.cf'), '4711\n')
      const lingering = {
        ...ports,
        runDirectory: stage.path('.'),
        isAlive: () => true,
        kill: () => {
          rmSync(stage.pidFile('a.cf'))
          return true
        },
      }
      assert.equal(await stop(lingering, { config }), 0)
      assert.deepEqual(stage.written(), { out: '', err: '' })
    })

    it('waits ten seconds and not longer, and says that it runs on', async () => {
      const config = stage.config('stubborn.cf')
      await start(ports, options(config))
      let now = 0
      const clock = {
        now: () => now,
        monotonic: () => now,
        setTimer: (name: string, delayMs: number, action: () => void) => {
          now += delayMs
          return systemClock.setTimer(name, 0, action)
        },
      }
      assert.equal(await stop({ ...ports, runDirectory: stage.path('.'), clock }, { config }), 0)
      assert.equal(now, 10_000)
      const pid = pidIn('stubborn.cf')
      assert.equal(stage.written().err, `ldirectord-ng: pid ${pid} has not ended after 10 seconds\n`)
    })
  })

  describe('restart', () => {
    const again = (config: string, onlyIfRunning = false): ReturnType<typeof restart> =>
      restart(ports, { config, debug: false, onlyIfRunning })

    it('ends the old daemon and starts a new one', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      const pid = pidIn('a.cf')
      assert.equal(await again(config), 0)
      assert.notEqual(pidIn('a.cf'), pid)
      assert.equal(ports.isAlive(pid), false)
      const begin = `started ${config} start`
      assert.deepEqual(stage.journal(), [begin, 'USR2', 'ended', begin])
    })

    it('starts what does not run, except as try-restart', async () => {
      const config = stage.config('a.cf')
      assert.equal(await again(config, true), 0)
      assert.equal(await status(ports, { config }), 3)
      assert.equal(await again(config), 0)
      assert.equal(await status(ports, { config }), 0)
    })

    it('starts no second one beside a daemon that does not end', async () => {
      const config = stage.config('stubborn.cf')
      await start(ports, options(config))
      const pid = pidIn('stubborn.cf')
      let now = 0
      const clock = {
        now: () => now,
        monotonic: () => now,
        setTimer: (name: string, delayMs: number, action: () => void) => {
          now += delayMs
          return systemClock.setTimer(name, 0, action)
        },
      }
      const fast = { ...ports, runDirectory: stage.path('.'), clock }
      assert.equal(await restart(fast, { config, debug: false, onlyIfRunning: false }), 1)
      assert.equal(stage.written().err, `ldirectord-ng: not started again: pid ${pid} does not end\n`)
      assert.equal(pidIn('stubborn.cf'), pid)
    })

    it('stops nothing when the configuration has errors', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      stage.config('a.cf', 'bad')
      assert.equal(await again(config), 2)
      assert.equal(await status(ports, { config }), 0)
      assert.deepEqual(stage.journal(), [`started ${config} start`])
    })
  })

  describe('reload', () => {
    it('sends HUP', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      assert.equal(await reload(ports, options(config)), 0)
      // Two signals at once have no order.
      while (!stage.journal().includes('HUP')) await delay(10)
      await stop(ports, { config })
      assert.deepEqual(stage.journal(), [`started ${config} start`, 'HUP', 'TERM', 'ended'])
      assert.deepEqual(stage.written(), { out: '', err: '' })
    })

    it('tells the faults of a bad file, exits 2 and sends nothing', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      stage.config('a.cf', 'bad')
      assert.equal(await reload(ports, options(config)), 2)
      assert.match(stage.written().err, /error\[value\]: bad value/)
      assert.equal(await status(ports, { config }), 0)
      await stop(ports, { config })
      assert.deepEqual(stage.journal(), [`started ${config} start`, 'TERM', 'ended'])
    })

    it('exits 1 with a line in the log and on standard error when nothing runs', async () => {
      const config = stage.config('a.cf')
      assert.equal(await reload(ports, options(config)), 1)
      assert.match(
        readFileSync(stage.path('log'), 'utf8'),
        new RegExp(`^\\[[^|]*\\|a\\.cf\\|${process.pid}\\] ldirectord is stopped for ${config}\\n$`),
      )
      assert.deepEqual(stage.written(), { out: '', err: `ldirectord is stopped for ${config}\n` })
    })
  })

  describe('without the right to signal the daemon', () => {
    const denied = (): typeof ports => ({
      ...ports,
      runDirectory: stage.path('.'),
      isAlive: () => true,
      kill: () => {
        throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
      },
    })
    const verbs: readonly [string, (config: string) => Promise<unknown>, RegExp][] = [
      ['stop', (config) => stop(denied(), { config }), /^ldirectord-ng: can not stop pid 4711: kill EPERM\n$/],
      [
        'restart',
        (config) => restart(denied(), { config, debug: false, onlyIfRunning: false }),
        /^ldirectord-ng: not started again: can not stop pid 4711: kill EPERM\n$/,
      ],
      ['reload', (config) => reload(denied(), options(config)), /^ldirectord-ng: can not reload: kill EPERM\n$/],
    ]
    for (const [verb, run, message] of verbs) {
      it(`${verb} says so and exits 1`, async () => {
        writeFileSync(stage.pidFile('a.cf'), '4711\n')
        assert.equal(await run(stage.config('a.cf')), 1)
        assert.match(stage.written().err, message)
        assert.equal(pidIn('a.cf'), 4711)
      })
    }
  })

  describe('status', async () => {
    it('tells a stale pid file on standard error and exits 1', async () => {
      const config = stage.config('a.cf')
      writeFileSync(stage.pidFile('a.cf'), '4194303\n')
      assert.equal(await status(ports, { config }), 1)
      assert.deepEqual(stage.written(), {
        out: `ldirectord is stopped for ${config}\n`,
        err: `ldirectord stale pid file ${stage.pidFile('a.cf')} for ${config}\n`,
      })
      assert.equal(existsSync(stage.pidFile('a.cf')), true)
    })

    it('sees a daemon whose file is gone', async () => {
      const config = stage.config('a.cf')
      await start(ports, options(config))
      const pid = pidIn('a.cf')
      rmSync(config)
      stage.written()
      assert.equal(await status(ports, { config }), 0)
      assert.deepEqual(stage.written(), {
        out: '',
        err: `Config file ${config} not found\nldirectord for ${config} is running with pid: ${pid}\n`,
      })
    })

    it('exits 1 when there is no such file', async () => {
      assert.equal(await status(ports, { config: stage.path('gone.cf') }), 1)
      assert.deepEqual(stage.written(), { out: '', err: `Config file ${stage.path('gone.cf')} not found\n` })
    })
  })
})

describe('the arguments of the daemon', () => {
  const here = process.cwd()
  const cases: readonly [string | undefined, string, readonly string[], string][] = [
    [undefined, '/etc/ha.d/ldirectord.cf', ['start'], '/'],
    [undefined, `${here}/ldirectord.cf`, ['start'], here],
    ['www.cf', '/etc/ha.d/conf/www.cf', ['www.cf', 'start'], '/'],
    ['www.cf', `${here}/www.cf`, [`${here}/www.cf`, 'start'], '/'],
    ['/srv/www.cf', '/srv/www.cf', ['/srv/www.cf', 'start'], '/'],
    ['-x', '/etc/ha.d/-x', ['--', '-x', 'start'], '/'],
  ]
  for (const [config, file, args, cwd] of cases) {
    it(`are ${args.join(' ')} in ${cwd === here ? 'the current directory' : cwd}, for ${config ?? 'none'}`, () => {
      assert.deepEqual(daemonArguments(config, file), args)
      assert.equal(daemonDirectory(config, file), cwd)
    })
  }
})
