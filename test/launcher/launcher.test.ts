import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { skipBecause } from '../tools/skip.ts'

const launcher = resolve('test/kernel/lab/run.mjs')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The launcher of the kernel lab itself, so this runs outside of it. Each test has temporary files of its own. */
describe('the launcher of the kernel lab', function () {
  this.timeout(60_000)
  let scratch: string

  before(function () {
    if (!existsSync('/usr/bin/linux.uml')) skipBecause(this, 'there is no linux.uml: apt-get install user-mode-linux')
  })
  beforeEach(() => {
    scratch = realpathSync(mkdtempSync(join(tmpdir(), 'ldng-launcher-')))
  })
  afterEach(() => rmSync(scratch, { recursive: true, force: true }))

  const launch = (words: readonly string[], { cwd = process.cwd(), env = {} } = {}): ReturnType<typeof spawn> =>
    spawn(process.execPath, [launcher, ...words], { cwd, env: { ...process.env, TMPDIR: scratch, ...env } })

  const run = async (words: readonly string[], options = {}): Promise<Ended> => {
    const child = launch(words, options)
    const text = { stdout: '', stderr: '' }
    child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    const code = await new Promise<number | null>((settle) => child.once('close', settle))
    return { code, ...text }
  }

  /** The command lines of guests that belong to this test, for they all name its directory. */
  const guests = (): string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        try {
          return readFileSync(`/proc/${name}/cmdline`, 'utf8')
        } catch {
          return ''
        }
      })
      .filter((line) => line.startsWith('linux.uml') && line.includes(scratch))

  const leavesNothing = async (): Promise<void> => {
    const until = performance.now() + 10_000
    while (guests().length > 0 && performance.now() < until) await delay(50)
    assert.deepEqual(guests(), [])
  }

  it("gives the command's output and exit status, in the same directory, whatever it is called", async () => {
    const cwd = join(scratch, "a b'c")
    mkdirSync(cwd)
    const script = 'pwd; echo "$1" >&2; ipvsadm -A -t 192.0.2.1:80 -s rr && ipvsadm -Sn; exit 3'
    const ended = await run(['bash', '-c', script, 'name', 'it\'s "$HOME"'], { cwd })
    assert.deepEqual(ended, { code: 3, stdout: `${cwd}\n-A -t 192.0.2.1:80 -s rr\n`, stderr: 'it\'s "$HOME"\n' })
    await leavesNothing()
    assert.deepEqual(readdirSync(scratch), ["a b'c"])
  })

  it('passes on where coverage goes, and temporary files are on a tmpfs', async () => {
    const coverage = join(scratch, 'coverage')
    const script = 'const fs = require("fs"), os = require("os"); console.log(fs.statfsSync(os.tmpdir()).type)'
    const ended = await run(['node', '-e', script], { env: { NODE_V8_COVERAGE: coverage } })
    assert.deepEqual(ended, { code: 0, stdout: `${0x0102_1994}\n`, stderr: '' })
    assert.equal(readdirSync(coverage).length >= 1, true)
  })

  it('ends a command that takes too long', async () => {
    const ended = await run(['--timeout', '3', 'sleep', '100'])
    assert.deepEqual(ended, { code: 98, stdout: '', stderr: 'lab: the command did not end within 3 s\n' })
    await leavesNothing()
    assert.deepEqual(readdirSync(scratch), [])
  })

  for (const { signal, code } of [
    { signal: 'SIGTERM', code: 143 },
    { signal: 'SIGKILL', code: null },
  ] as const) {
    it(`takes its guest along when it ends by ${signal}`, async () => {
      const child = launch(['bash', '-c', 'echo up; sleep 100'])
      await new Promise((settle) => child.stdout?.once('data', settle))
      assert.ok(guests().length > 0)
      child.kill(signal)
      assert.equal(await new Promise((settle) => child.once('exit', settle)), code)
      await leavesNothing()
    })
  }

  it('says how it is used', async () => {
    const { code, stderr } = await run([])
    assert.equal(code, 64)
    assert.match(stderr, /^usage: /)
  })
})
