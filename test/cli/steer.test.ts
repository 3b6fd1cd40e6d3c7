import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import type { StatusReport } from '../../src/api/status-report.ts'
import { programStage } from './program-stage.ts'

describe('steering the running daemon', function () {
  this.timeout(60_000)
  const stage = programStage()

  /** Two virtual services on one server that answers, one with another that does not. */
  const configText = (port: number): string =>
    `logfile="${stage.folder.path('log')}"\ncheckinterval=1\nchecktimeout=1\n` +
    `virtual=192.0.2.10:80\n    real=127.0.0.1:${port} masq 2\n    real=127.0.0.9:${port} masq 3\n    checktype=connect\n` +
    `virtual=192.0.2.10:443\n    real=127.0.0.1:${port} masq 2\n    checktype=connect\n`

  const startUp = async () => {
    const port = await stage.listen()
    writeFileSync(stage.folder.path('a.cf'), configText(port))
    const daemon = stage.launch('run', '--table', 'memory', 'a.cf')
    const settled = /Added real server[\s\S]*Added real server/
    await stage.until(() => settled.test(stage.file('log')))
    return { port, daemon }
  }
  const status = async (): Promise<StatusReport> => JSON.parse((await stage.command('show', '--json')).out)
  /** `80 127.0.0.1: up weight 2, held: -` for each real server. */
  const standing = (report: StatusReport): string[] =>
    report.virtuals.flatMap(({ virtual, reals }) =>
      reals.map(
        ({ host, state, kernelWeight, hold }) => `${virtual} ${host} ${state} ${kernelWeight} ${hold?.as ?? '-'}`,
      ),
    )

  it('shows the table with the health, drains, disables and enables, and each word is in force when the verb ends', async () => {
    const { port, daemon } = await startUp()
    const untouched = [
      '192.0.2.10:80 127.0.0.1 up 2 -',
      '192.0.2.10:80 127.0.0.9 down null -',
      '192.0.2.10:443 127.0.0.1 up 2 -',
    ]
    assert.deepEqual(standing(await status()), untouched)
    const shown = await stage.command('show')
    assert.equal(shown.code, 0)
    assert.match(shown.out, /^a\.cf \(pid \d+, .*a\.cf\) running, for .*virtual services 2, real servers 2 of 3 up\n/)
    assert.match(shown.out, new RegExp(`-> 127\\.0\\.0\\.9:${port} +Masq +- \\(3\\) +0 +0 +down +\\d+s +refused: `))

    const ambiguous = await stage.command('drain', '127.0.0.1')
    assert.deepEqual(
      [ambiguous.code, ambiguous.err],
      [
        1,
        'ldirectord-ng: "127.0.0.1" is 2 real servers: say which one, or all of them with --all\n' +
          `  192.0.2.10:80/127.0.0.1:${port}\n  192.0.2.10:443/127.0.0.1:${port}\n`,
      ],
    )
    const unknown = await stage.command('a.cf', 'why', '127.0.0.8')
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /^ldirectord-ng: no real server of the configuration is "127\.0\.0\.8"\n/)

    const disabled = await stage.command('disable', '192.0.2.10:443/127.0.0.1', '--for', '2h', '--reason', 'new disk')
    assert.match(disabled.out, /^127\.0\.0\.1:\d+ in tcp:192\.0\.2\.10:443: disabled \(new disk\), by .*, until /)
    assert.equal(disabled.err, '')
    assert.deepEqual(standing(await status()), [...untouched.slice(0, 2), '192.0.2.10:443 127.0.0.1 up null out'])
    const why = await stage.command('why', '192.0.2.10:443/127.0.0.1')
    assert.match(why.out, /table +not in the table: in maintenance: .*new disk/)
    assert.match(why.out, /weight +configured \d+, in the kernel no entry,/)
    assert.match(why.out, /operator +disabled since .* by .*: new disk, until /)
    assert.match(why.out, /last checks, newest first:\n +[-\d]+ [:\d]+ {2}up {2}[\d.]+ ms {2}connected\n/)

    const drained = await stage.command('drain', '127.0.0.1', '--all', '--max', '5m')
    assert.equal(drained.out.split('\n').length, 3)
    assert.deepEqual(
      standing(await status()).map((line) => line.replace(/ (0|null) (drain|out)$/, ' out of service')),
      ['192.0.2.10:80 127.0.0.1 up out of service', untouched[1], '192.0.2.10:443 127.0.0.1 up out of service'],
    )
    const enabled = await stage.command('enable', '127.0.0.1', '--all')
    assert.deepEqual([enabled.code, enabled.out], [0, 'Nothing holds it back: the checks decide.\n'])
    assert.deepEqual(standing(await status()), untouched)
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended).code, 0)
  })

  it('plans what a reload would change, refuses the one that cuts off, and takes it when it is confirmed', async () => {
    const { port, daemon } = await startUp()
    const before = configText(port)
    writeFileSync(stage.folder.path('a.cf'), before.replaceAll('masq 2', 'masq 7'))
    const plan = await stage.command('plan', 'a.cf')
    assert.equal(plan.code, 1)
    assert.equal(plan.err, 'A daemon runs on this file: this is what a reload would change.\n')
    assert.deepEqual(
      plan.out.split('\n').map((line) => line.replace(/ +#.*/, '')),
      [
        `-e -t 192.0.2.10:80 -r 127.0.0.1:${port} -m -w 7 -x 0 -y 0`,
        `-e -t 192.0.2.10:443 -r 127.0.0.1:${port} -m -w 7 -x 0 -y 0`,
        '',
      ],
    )
    const reloaded = await stage.command('a.cf', 'reload')
    assert.deepEqual([reloaded.code, reloaded.out, reloaded.err], [0, '', ''])
    assert.match(standing(await status()).join(), /127\.0\.0\.1 up 7/)

    writeFileSync(stage.folder.path('a.cf'), `logfile="${stage.folder.path('log')}"\n`)
    const refused = await stage.command('a.cf', 'reload')
    assert.equal(refused.code, 1)
    assert.match(
      refused.err,
      /no virtual service is named, and 2 are served\n[\s\S]*-D -t 192\.0\.2\.10:80\n[\s\S]*reload --confirm/,
    )
    assert.deepEqual((await status()).refused?.reasons, ['no virtual service is named, and 2 are served'])
    assert.match((await stage.command('show')).out, /not in force: no virtual service is named/)
    const told = await stage.command('a.cf', 'status')
    assert.equal(told.code, 0)
    assert.match(
      told.err,
      /running with pid: \d+\nldirectord-ng: the file that lies there now is not in force: no virtual service/,
    )
    const confirmed = await stage.command('a.cf', 'reload', '--confirm')
    assert.deepEqual([confirmed.code, confirmed.err], [0, ''])
    assert.deepEqual((await status()).virtuals, [])
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended).code, 0)
  })

  it('says so when nobody listens, and the socket comes back by itself', async () => {
    const nobody = await stage.command('show')
    assert.equal(nobody.code, 1)
    assert.match(nobody.err, /^ldirectord-ng: no daemon answers on .*ldirectord\.sock\n$/)
    const { daemon } = await startUp()
    rmSync(stage.folder.path('ldirectord-ng/a.cf.sock'))
    assert.equal((await stage.command('a.cf', 'show')).code, 1)
    // A reload by signal passes over the table, and with that the socket is looked at.
    assert.equal((await stage.command('a.cf', 'reload')).code, 0)
    await stage.until(() => /Configuration loaded[\s\S]*Configuration loaded/.test(stage.file('log')))
    let code: number | null = 1
    while (code !== 0) ({ code } = await stage.command('a.cf', 'show'))
    daemon.child.kill('SIGTERM')
    assert.equal((await daemon.ended).code, 0)
  })
})
