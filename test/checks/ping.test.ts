import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ping } from '../../checks/ping.ts'
import type { CheckResult } from '../../src/model/verdict.ts'
import { needs } from '../servers/needs.ts'
import { skipBecause } from '../tools/skip.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const execute = promisify(execFile)

describe('the ping check', () => {
  const run = (more: Partial<Ask> = {}) => ask({ check: ping, ...more })

  describe('with the system’s ping', () => {
    before(function () {
      needs(this, 'ping')
    })

    for (const address of ['127.0.0.1', '::1']) {
      it(`up: ${address} answers`, async () => {
        const result = await run({ address })
        assert.equal(verdictOf(result), 'up', result.detail)
        assert.match(result.detail, /^echo reply in [\d.]+ ms$/)
      })
    }

    it('up: the port plays no part', async () => {
      assert.equal(verdictOf(await run({ port: 1 })), 'up')
    })

    it('runs many at once', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, () => run()))
      assert.deepEqual(new Set(results.map(verdictOf)), new Set(['up']))
    })
  })

  describe('in a network namespace of its own', function () {
    this.timeout(20_000)
    before(async function () {
      needs(this, 'ping', 'unshare', 'ip')
      const refusal = await execute('unshare', ['-rn', 'true']).catch((error: Error) => error)
      if (refusal instanceof Error) skipBecause(this, `no network namespace can be made: ${refusal.message}`)
    })

    async function pingThere(prepare: string, address: string, timeoutMs: number): Promise<CheckResult> {
      const script = fileURLToPath(new URL('./ping-once.js', import.meta.url))
      const words = [process.execPath, script, address, String(timeoutMs)]
      const { stdout } = await execute('unshare', ['-rn', 'sh', '-c', `${prepare}\nexec "$@"`, 'sh', ...words])
      return JSON.parse(stdout)
    }
    const cases: readonly [title: string, prepare: string, address: string, verdict: string, detail: RegExp][] = [
      [
        'nothing answers',
        'ip link set lo up; echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all',
        '127.0.0.1',
        'down timeout',
        /no (echo reply|answer) within 300 ms/,
      ],
      ['no route', '', '192.0.2.1', 'down unreachable', /Network is unreachable/],
      ['no route, IPv6', 'ip link set lo up', '2001:db8::1', 'down unreachable', /unreachable/],
      [
        'a route that says unreachable',
        'ip link set lo up; ip route add unreachable 192.0.2.1',
        '192.0.2.1',
        'down unreachable',
        /No route to host/,
      ],
      [
        'a route into a black hole',
        'ip link set lo up; ip route add blackhole 192.0.2.1',
        '192.0.2.1',
        'down unreachable',
        /Invalid argument/,
      ],
      [
        'a route that the operator forbade',
        'ip link set lo up; ip route add prohibit 192.0.2.1',
        '192.0.2.1',
        'unknown not-permitted',
        /firewall/,
      ],
      ['it answers', 'ip link set lo up', '127.0.0.1', 'up', /echo reply/],
    ]
    for (const [title, prepare, address, verdict, detail] of cases) {
      it(`${verdict}: ${title}`, async () => {
        const result = await pingThere(prepare, address, verdict === 'down timeout' ? 300 : 3000)
        assert.equal(verdictOf(result), verdict, result.detail)
        assert.match(result.detail, detail)
      })
    }

    it('unknown not-permitted: the daemon may not hand on CAP_NET_RAW', async () => {
      const result = await pingThere('set -- setpriv --bounding-set -net_raw "$@"', '127.0.0.1', 3000)
      assert.equal(verdictOf(result), 'unknown not-permitted', result.detail)
    })
  })

  describe('with a ping program that', () => {
    const { PATH, LANG, LC_ALL } = process.env
    let directory: string
    let log: string
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'ping-'))
      log = join(directory, 'log')
    })
    beforeEach(() => {
      Object.assign(process.env, { PATH: directory })
    })
    afterEach(async () => {
      for (const [name, value] of Object.entries({ PATH, LANG, LC_ALL })) {
        delete process.env[name]
        if (value !== undefined) Object.assign(process.env, { [name]: value })
      }
      await rm(log, { force: true })
      await rm(join(directory, 'ping'), { force: true })
    })
    after(() => rm(directory, { recursive: true, force: true }))

    /** A ping in PATH that is a shell script; each call leaves a line in the log. */
    async function install(body: string, mode = 0o755): Promise<void> {
      const file = join(directory, 'ping')
      await writeFile(file, `#!/bin/sh\necho "$LANG $LC_ALL $*" >> ${log}\n${body}\n`)
      await chmod(file, mode)
    }
    const calls = async (): Promise<string[]> => (await readFile(log, 'utf8')).trim().split('\n')
    const head = 'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.'
    const reply = `printf '${head}\\n64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.5 ms\\n\\n--- 192.0.2.1 ping statistics ---\\n1 packets transmitted, 1 received, 0%% packet loss, time 0ms\\n'`
    const silence = `printf '${head}\\n\\n--- 192.0.2.1 ping statistics ---\\n1 packets transmitted, 0 received, 100%% packet loss, time 0ms\\n'; exit 1`

    const said: readonly [text: string, verdict: string][] = [
      [
        `${head}\n\n--- 192.0.2.1 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss`,
        'down timeout',
      ],
      [`${head}\nFrom 192.0.2.9 icmp_seq=1 Destination Host Unreachable\n\n1 packets transmitted`, 'down unreachable'],
      [`${head}\nFrom 192.0.2.9 icmp_seq=1 Destination Net Prohibited\n\n1 packets transmitted`, 'down unreachable'],
      [`${head}\nFrom 192.0.2.9 icmp_seq=1 Packet filtered\n\n1 packets transmitted`, 'down unreachable'],
      [`${head}\nFrom 192.0.2.9 icmp_seq=1 Time to live exceeded\n\n1 packets transmitted`, 'down unreachable'],
      ['ping: connect: Network is unreachable', 'down unreachable'],
      ['ping: socket: Operation not permitted', 'unknown not-permitted'],
      ['ping: socktype: SOCK_RAW\nping: socket: Permission denied', 'unknown not-permitted'],
      [`${head}\nping: sendmsg: Operation not permitted\n\n1 packets transmitted`, 'unknown not-permitted'],
      ['ping: socket: Too many open files', 'unknown local-resource'],
      ['ping: socket: Address family not supported by protocol', 'unknown local-resource'],
      ['error while loading shared libraries: libcap.so.2', 'unknown local-resource'],
      ['', 'unknown local-resource'],
    ]
    for (const [text, verdict] of said) {
      it(`${verdict}: says “${text.split('\n').find((line) => line !== head) ?? ''}”`, async () => {
        await install(`printf '%s\\n' '${text}'; exit 2`)
        const result = await run({ address: '192.0.2.1', timeoutMs: 2000 })
        assert.equal(verdictOf(result), verdict, result.detail)
      })
    }

    it('is not there: unknown missing-tool', async () => {
      assert.equal(verdictOf(await run()), 'unknown missing-tool')
    })

    it('may not be executed: unknown missing-tool', async () => {
      await install('exit 0', 0o644)
      const asRoot = 'root may look but not execute either'
      assert.equal(verdictOf(await run()), 'unknown missing-tool', asRoot)
    })

    it('answers at once: it is called once, numerically, in the language C and with the whole time as its limit', async () => {
      Object.assign(process.env, { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' })
      await install(reply)
      assert.equal(verdictOf(await run({ address: '192.0.2.1', timeoutMs: 2000, options: { checkcount: 3 } })), 'up')
      assert.deepEqual(await calls(), ['C C -n -W 0.667 -c 1 -s 56 192.0.2.1'])
    })

    it('answers: the language of this process is what it was, set or not', async () => {
      await install(reply)
      Object.assign(process.env, { LANG: 'de_DE.UTF-8', LC_ALL: 'fr_FR.UTF-8' })
      await run()
      assert.deepEqual([process.env['LANG'], process.env['LC_ALL']], ['de_DE.UTF-8', 'fr_FR.UTF-8'])
      for (const name of ['LANG', 'LC_ALL']) delete process.env[name]
      await Promise.all([run(), run(), run()])
      assert.deepEqual(['LANG' in process.env, 'LC_ALL' in process.env], [false, false])
    })

    it('answers IPv6: it is the same program', async () => {
      await install(reply)
      await run({ address: '2001:db8::1' })
      assert.match((await calls()).join(), / 2001:db8::1$/)
    })

    it('never answers: it is called checkcount times, one after the other', async () => {
      await install(silence)
      const result = await run({ address: '192.0.2.1', options: { checkcount: 3 } })
      assert.equal(verdictOf(result), 'down timeout')
      assert.equal((await calls()).length, 3)
    })

    it('answers the second time: up', async () => {
      await install(`[ -e ${log}2 ] || { : > ${log}2; ${silence}; }\n${reply}`)
      assert.equal(verdictOf(await run({ address: '192.0.2.1', options: { checkcount: 5 } })), 'up')
      assert.equal((await calls()).length, 2)
    })

    it('is late: down timeout, and its end is awaited', async () => {
      await install(`/bin/sleep 0.4; echo ended >> ${log}; ${silence}`)
      const result = await run({ address: '192.0.2.1', timeoutMs: 200, options: { checkcount: 1 } })
      assert.equal(verdictOf(result), 'down timeout')
      assert.match((await calls()).join(), /ended$/)
    })

    it('runs while the check is called off: unknown cancelled, and no second call', async () => {
      await install(`/bin/sleep 0.3; ${silence}`)
      const controller = new AbortController()
      const running = run({ signal: controller.signal, options: { checkcount: 5 } })
      controller.abort(new Error('stopping'))
      assert.equal(verdictOf(await running), 'unknown cancelled')
      assert.equal((await calls()).length, 1)
    })

    it('would take its address for an option is not called', async () => {
      await install(reply)
      for (const address of ['-V', 'localhost', '127.0.0.1;id', '', '192.0.2.1 -f', '[::1]']) {
        assert.equal(verdictOf(await run({ address })), 'unknown bug', address)
      }
      await assert.rejects(calls())
    })
  })
})
