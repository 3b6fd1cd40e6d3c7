import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const program = 'bin/ldirectord-ng'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

describe('The program', function () {
  // Each call is a Node of its own.
  this.timeout(30_000)
  let folder: string
  let config: string
  let log: string
  let server: Server
  let port: number
  const children = new Set<ChildProcess>()

  const begin = (...args: string[]): { child: ChildProcess; ended: Promise<Ended> } => {
    const env = { ...process.env, LDIRECTORD_NG_RUN_DIR: folder }
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    children.add(child)
    let out = ''
    let err = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const ended = once(child, 'close').then(([code]): Ended => {
      children.delete(child)
      return { code, out, err }
    })
    return { child, ended }
  }
  const call = (...args: string[]): Promise<Ended> => begin(...args).ended
  const write = (...lines: string[]): void => {
    const text = [`logfile="${log}"`, 'checkinterval=1', 'autoreload=yes', ...lines, ''].join('\n')
    // As editors do it: never half a file.
    writeFileSync(`${config}.new`, text)
    renameSync(`${config}.new`, config)
  }
  const good = (weight = 1): string[] => [
    'virtual=192.0.2.10:80',
    `    real=127.0.0.1:${port} masq ${weight}`,
    '    fallback=127.0.0.9:80',
    '    service=http',
    '    receive="Still alive"',
  ]
  const logged = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (let waited = 0; !holds(); waited += 20) {
      if (waited > 8_000) assert.fail(`waited in vain for: ${what}\n${logged()}`)
      await delay(20)
    }
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ldng-'))
    config = join(folder, 'test.cf')
    log = join(folder, 'director.log')
    server = createServer((_request, response) => response.end('Still alive\n'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })

  it('checks once, as a table and as JSON, with its exit codes', async () => {
    write(...good())
    const up = await call('check', config)
    assert.equal(up.code, 0, up.err)
    assert.match(up.out, /^VIRTUAL +REAL +VERDICT/)
    assert.match(up.out, /1 up, 0 down\n$/)
    write(...good(), '    real=127.0.0.1:1 masq')
    const down = await call('check', config, '--json')
    assert.equal(down.code, 1)
    const [virtual] = JSON.parse(down.out).virtuals
    assert.deepEqual(
      [virtual.virtual, virtual.up, virtual.down, virtual.fallback, virtual.reals[1].real, virtual.reals[1].reason],
      ['192.0.2.10:80', 1, 1, '127.0.0.9:80', '127.0.0.1:1', 'refused'],
    )
    write('nonsense')
    assert.equal((await call('check', config)).code, 2)
  })

  it('validates, prints the config without secrets, and plans', async () => {
    write(...good(), '    login="me"', '    passwd="hunter2"')
    const valid = await call('validate', config, '--print')
    assert.equal(valid.code, 0, valid.err)
    assert.match(valid.out, /virtual = 192\.0\.2\.10:80/)
    assert.doesNotMatch(valid.out + valid.err, /hunter2/)
    const plan = await call('plan', config, '--table', 'memory', '--format', 'ipvsadm')
    assert.equal(plan.code, 1)
    assert.equal(plan.out, `-A -t 192.0.2.10:80 -s wrr\n-a -t 192.0.2.10:80 -r 127.0.0.1:${port} -m -w 1 -x 0 -y 0\n`)
    const assumed = await call('plan', config, '--table', 'memory', '--assume', 'down', '--json')
    assert.deepEqual(
      JSON.parse(assumed.out).steps.map((step: { operation: string }) => step.operation),
      ['add-service', 'add-destination'],
    )
    write('nonsense')
    assert.equal((await call('validate', config)).code, 2)
  })

  it('tells wrong usage by its exit codes', async () => {
    const perl = await call()
    assert.deepEqual([perl.code, perl.out.startsWith('Usage: ')], [255, true])
    const ours = await call('plan', config, '--assume', 'sideways')
    assert.equal(ours.code, 64)
    assert.equal((await call('-v')).code, 0)
    assert.equal((await call(join(folder, 'absent.cf'), 'status')).code, 1)
  })

  it('says in one line that a pid file cannot be read', async () => {
    write(...good())
    const pidFile = join(folder, 'ldirectord.test.cf.pid')
    mkdirSync(pidFile)
    for (const verb of ['start', 'stop', 'status', 'reload']) {
      const { code, out, err } = await call(config, verb)
      assert.deepEqual([verb, code, out], [verb, 1, ''])
      assert.match(
        err.trimEnd().split('\n').at(-1) ?? '',
        /^ldirectord-ng: the pid file .*\.pid cannot be read: EISDIR/,
      )
      assert.doesNotMatch(err, /internal error/)
    }
  })

  it('runs, is seen by status, keeps the old config over a bad file, and stops', async () => {
    write(...good())
    const { child, ended } = begin('run', config, '--table', 'memory')
    await until('the real server to be added', () => logged().includes('Added real server'))
    const status = await call(config, 'status')
    assert.deepEqual([status.code, status.err], [0, `ldirectord for ${config} is running with pid: ${child.pid}\n`])
    assert.equal((await call('run', config, '--table', 'memory')).code, 1)

    write(...good(), 'nonsense')
    await until('the bad file to be told', () => logged().includes('Keeping the running configuration'))
    const refused = await call(config, 'reload')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /error\[unknown-directive\]/)
    assert.equal((await call(config, 'status')).code, 0)

    renameSync(log, `${log}.1`)
    write(...good(5))
    await until('the new weight', () => logged().includes('(Weight set to 5)'))
    child.kill('SIGUSR1')
    server.closeAllConnections()
    server.close()
    await until('the fallback', () => logged().includes('Added fallback server: 127.0.0.9:80 (192.0.2.10:80)'))

    const stop = await call(config, 'stop')
    assert.deepEqual([stop.code, (await ended).code], [0, 0])
    assert.equal((await call(config, 'status')).code, 3)
    assert.match(logged(), /Linux Director Daemon terminated on signal: TERM\n$/)
    assert.match(logged(), /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\|test\.cf\|\d+\] /)
  })

  it('plays its demo to the end', async () => {
    const { code, out, err } = await call('demo')
    assert.equal(code, 0, err)
    for (const line of ['Added fallback server: 127.0.0.10:18080', 'Deleted fallback server: 127.0.0.10:18080']) {
      assert.ok(out.includes(line), out)
    }
  })
})
