import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { askDaemon } from '../../src/api/client.ts'
import type { OrderReport } from '../../src/api/order-routes.ts'
import type { WhyReport } from '../../src/api/why-report.ts'
import { namesFileOf } from '../../src/control/process/instance.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { attend, command, replaceConfig, tableBecomes, writeConfig } from './lab/director.ts'
import { createPool, type Pool } from './lab/pool.ts'

const service = '-A -t 10.1.0.100:80 -s rr'
const entry = (server: string, weight = 1): string => `-a -t 10.1.0.100:80 -r ${server} -m -w ${weight}`
const r1 = entry('10.2.1.2:80')
const r2 = entry('10.2.2.2:80')
const table = (...lines: readonly string[]): string => lines.join('\n')
const both = table(service, r1, r2)
const [node, program] = command

const everyday = ({ top = '', section = '', first = '10.2.1.2', weight = 1 } = {}): string => `
  checktimeout=3
  checkinterval=1
  ${top}
  virtual=10.1.0.100:80
      real=${first}:80 masq
      real=10.2.2.2:80 masq ${weight}
      service=http
      request="alive"
      receive="r[12]"
      scheduler=rr
      ${section}
`

describe('The director, when the machine beneath it fails', function () {
  this.timeout(120_000)
  let lab: Pool
  before(async () => {
    lab = await createPool()
  })
  afterEach(() => lab.reset())
  after(() => lab.close())

  const count = (pattern: RegExp, text: string): number => [...text.matchAll(pattern)].length
  /** An order or a question over the control socket of the daemon that runs on this file. */
  const ask = async <Body>(config: string, path: string, body?: Record<string, unknown>): Promise<Body> => {
    const socket = `/run/ldirectord-ng/${basename(config)}.sock`
    const method = body === undefined ? 'GET' : 'POST'
    const answer = await askDaemon({ clock: systemClock, socket }, { method, path, body: body ?? {} })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body as Body
  }
  const disable = (config: string, parts: Record<string, unknown>): Promise<OrderReport> =>
    ask<OrderReport>(config, '/v1/disable', { real: '10.2.2.2', ...parts })

  it('goes on over a full disk under log, monitor file and state file, tells each once, and uses them again', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
    try {
      const files = { top: `logfile="${disk}/log"`, section: `monitorfile="${disk}/monitor"` }
      const config = writeConfig(everyday(files))
      const daemon = attend(
        lab.director.spawn(node, [program, 'run', config], { LDIRECTORD_NG_STATE_DIR: `${disk}/state` }),
      )
      await tableBecomes(lab.director, both, { daemon })
      await daemon.says(/Configuration loaded/)
      for (const name of ['filler', 'log', 'monitor']) fill(`${disk}/${name}`)

      await lab.die('r1')
      await tableBecomes(lab.director, table(service, r2), { daemon })
      assert.equal((await disable(config, { reason: 'while it is full' })).saved, false)
      await tableBecomes(lab.director, service, { daemon })
      await lab.rise('r1')
      await tableBecomes(lab.director, table(service, r1), { daemon })
      await daemon.says(/monitorfile .*: ENOSPC/)

      rmSync(`${disk}/filler`)
      assert.equal((await disable(config, { reason: 'after it' })).saved, true)
      assert.match(readFileSync(`${disk}/state/${basename(config)}.json`, 'utf8'), /after it/)
      await daemon.says(/monitorfile .*: works again, lines lost: \d+/)
      daemon.signal('SIGTERM')
      assert.equal(await daemon.ended, 0)
      const [said, kept] = [daemon.log(), readFileSync(`${disk}/log`, 'utf8')]
      assert.match(kept, /\d+ log lines before this one were lost\n/)
      assert.match(kept, /can be written again\n.*terminated on signal: TERM\n$/s)
      for (const once of [
        /^ldirectord-ng: .*\/log: ENOSPC.*; log lines are dropped until it works again$/gm,
        /^ldirectord-ng: .*\/log: works again, \d+ log lines were lost$/gm,
        /The state file .* cannot be written: ENOSPC/g,
        /The state file .* can be written again/g,
        /monitorfile .*: ENOSPC/g,
        /monitorfile .*: works again/g,
      ])
        assert.equal(count(once, said), 1, `${once}\n${said}`)
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })

  it('goes on with its checks while there is no IPVS any more, says so once, and puts the table back as it ought to be by then', async () => {
    const loader = '/proc/sys/kernel/modprobe'
    const usual = readFileSync(loader, 'utf8')
    const daemon = lab.start(writeConfig(everyday()))
    await tableBecomes(lab.director, both, { daemon })
    try {
      writeFileSync(loader, '/bin/false')
      await unloadIpvs(lab)
      await daemon.says(/Can not read the IPVS table: .*modprobe ip_vs/)
      await lab.die('r1')
      await daemon.says(/Real server is down: 10\.2\.1\.2:80/)
      assert.equal(count(/Can not read the IPVS table/g, daemon.log()), 1)
    } finally {
      writeFileSync(loader, usual)
    }
    await tableBecomes(lab.director, table(service, r2), { daemon })
    await daemon.says(/The IPVS table can be read again/)
    await lab.rise('r1')
    await tableBecomes(lab.director, both, { daemon })
    assert.doesNotMatch(daemon.log(), /Internal error/)
  })

  it('serves its clients again within one round after somebody has cleared the table beneath them', async () => {
    // Nobody else answers for the virtual address on this machine.
    await lab.die('sorry')
    const daemon = lab.start(writeConfig(everyday()))
    await tableBecomes(lab.director, both, { daemon })
    const watch = await lab.watch()
    await watch.gets('r1')
    daemon.mark()
    await lab.director.must('ipvsadm', '-C')
    await daemon.says(
      /Added virtual server: 10\.1\.0\.100:80\n.*Added real server: 10\.2\.\d\.2:80 .*\n.*Added real server/,
    )
    await tableBecomes(lab.director, both, { daemon })
    for (const name of ['r1', 'r2'] as const) await watch.gets(name)
    const { fetched, failed } = await watch.end()
    assert.ok(failed.length > 0, 'the clients were cut off')
    const [first, last] = [failed[0], failed.at(-1)]
    const between = fetched.filter(
      (one) => one.startedAt > (first?.startedAt ?? 0) && one.endedAt < (last?.endedAt ?? 0),
    )
    assert.ok(
      between.every((one) => 'error' in one),
      'it was one gap',
    )
  })

  it('does not care for a clock that jumps a day forth and two back; an order ends at its hour or after its time, the earlier', async () => {
    const config = writeConfig(everyday())
    const daemon = lab.start(config)
    const why = async (): Promise<WhyReport> => {
      const { reals } = await ask<{ reals: WhyReport[] }>(config, '/v1/why?real=10.2.1.2')
      assert.ok(reals[0] !== undefined)
      return reals[0]
    }
    /** Fails and comes back, with times of this clock; the next check is near. */
    const failsOver = async (): Promise<void> => {
      const before = Date.now()
      await lab.die('r1')
      await tableBecomes(lab.director, table(service, r2), { daemon })
      const { status, nextCheckInMs, probes } = await why()
      const since = Date.parse(status.since)
      assert.ok(since >= before - 1 && since <= Date.now(), `${status.since} of ${new Date(before).toISOString()}`)
      assert.ok(nextCheckInMs !== null && nextCheckInMs <= 1500, `next check in ${nextCheckInMs} ms`)
      assert.ok(probes.every(({ durationMs }) => durationMs >= 0 && durationMs < 20_000))
      await lab.rise('r1')
      await tableBecomes(lab.director, both, { daemon })
    }
    await tableBecomes(lab.director, both, { daemon })
    let jumped = 0
    const jump = (days: number): void => {
      jumped += days
      setClock(days)
    }
    try {
      await disable(config, { forMs: 3_600_000 })
      await tableBecomes(lab.director, table(service, r1), { daemon })
      jump(1)
      // Its hour has come, as after a machine that slept.
      await daemon.says(/Enabled real server: 10\.2\.2\.2:80 .* time is up/)
      await tableBecomes(lab.director, both, { daemon })
      await failsOver()

      daemon.mark()
      const { intents } = await disable(config, { forMs: 6_000 })
      assert.equal(Date.parse(intents[0]?.until ?? '') - Date.parse(intents[0]?.since ?? ''), 6_000)
      jump(-2)
      await tableBecomes(lab.director, table(service, r1), { daemon })
      await daemon.says(/Enabled real server: 10\.2\.2\.2:80 .* time is up/)
      await tableBecomes(lab.director, both, { daemon })
      await failsOver()
      const days = new Set(
        [...daemon.log().matchAll(/^\[\w{3} (\w{3} [ \d]\d) \d\d:\d\d:\d\d \d{4}\] /gm)].map(([, day]) => day),
      )
      assert.equal(days.size, 3, [...days].join())
      assert.doesNotMatch(daemon.log(), /Internal error|changed by others|can not|Can not/)
    } finally {
      setClock(-jumped)
    }
  })

  it('keeps the address of a name over a reload and a restart while the name server is silent, checks on, and starts without it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dns-'))
    const silence = join(folder, 'silent')
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.53\noptions timeout:1 attempts:1\n')
    const resolver = realpathSync('/etc/resolv.conf')
    execFileSync('mount', ['--bind', join(folder, 'resolv.conf'), resolver])
    const names = attend(
      lab.director.spawn(node, [fileURLToPath(new URL('lab/name-server.js', import.meta.url)), '10.2.1.2', silence]),
    )
    try {
      await names.says(/listening/)
      const config = writeConfig(everyday({ first: 'web.lab.example' }))
      const first = lab.start(config)
      await tableBecomes(lab.director, both, { daemon: first })
      writeFileSync(silence, '')
      replaceConfig(config, everyday({ first: 'web.lab.example', weight: 7 }))
      first.signal('SIGHUP')
      await tableBecomes(lab.director, table(service, r1, entry('10.2.2.2:80', 7)), { daemon: first })
      await lab.die('r1')
      await tableBecomes(lab.director, table(service, entry('10.2.2.2:80', 7)), { daemon: first })
      await lab.rise('r1')
      await tableBecomes(lab.director, table(service, r1, entry('10.2.2.2:80', 7)), { daemon: first })
      assert.doesNotMatch(first.log(), /could not resolve|has errors/)
      first.signal('SIGTERM')
      assert.equal(await first.ended, 0)

      const known = lab.start(config)
      const all = table(service, r1, entry('10.2.2.2:80', 7))
      await tableBecomes(lab.director, all, { daemon: known, withinMs: 30_000 })
      assert.match(known.log(), /The name web\.lab\.example does not answer: its last address is used, 10\.2\.1\.2/)
      known.signal('SIGTERM')
      assert.equal(await known.ended, 0)
      rmSync(namesFileOf(basename(config)))

      const second = lab.start(config)
      await tableBecomes(lab.director, table(service, entry('10.2.2.2:80', 7)), { daemon: second, withinMs: 30_000 })
      assert.match(
        second.log(),
        /invalid address \(web\.lab\.example\) .*\(could not resolve host\): it is down until it can/,
      )
      rmSync(silence)
      await second.says(/Names have an address now: web\.lab\.example/, { withinMs: 40_000 })
      await tableBecomes(lab.director, table(service, r1, entry('10.2.2.2:80', 7)), { daemon: second })
    } finally {
      names.signal('SIGKILL')
      execFileSync('umount', ['-l', resolver])
    }
  })
})

/** Writes until nothing more goes in: the file's last page is full too. */
function fill(file: string): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT)
  try {
    for (const size of [4096, 64, 1]) {
      const bytes = Buffer.alloc(size, '\n')
      assert.throws(
        () => {
          while (writeSync(fd, bytes) === size);
          throw Object.assign(new Error('a part'), { code: 'ENOSPC' })
        },
        { code: 'ENOSPC' },
      )
    }
  } finally {
    closeSync(fd)
  }
}

function setClock(days: number): void {
  execFileSync('date', ['-s', `@${(Date.now() + days * 86_400_000) / 1000}`])
}

/** The daemon puts its services back between one command and the next, so this is tried until it was faster. */
async function unloadIpvs({ director }: Pool): Promise<void> {
  for (;;) {
    await director.must('ipvsadm', '-C')
    const loaded = readFileSync('/proc/modules', 'utf8').match(/^ip_vs\w*/gm) ?? []
    const { code } = await director.run('rmmod', ...loaded.filter((name) => name !== 'ip_vs'), 'ip_vs')
    if (code === 0) return
  }
}
