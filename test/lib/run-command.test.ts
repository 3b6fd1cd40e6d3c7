import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DeadlineError } from '../../src/lib/deadline-error.ts'
import { type CommandResult, runCommand } from '../../src/lib/run-command.ts'

describe('running a command', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'child-'))
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const never = new AbortController().signal
  const sh = (script: string, signal: AbortSignal = never, ...args: string[]): Promise<CommandResult> =>
    runCommand({ file: '/bin/sh', args: ['-c', script, 'sh', ...args] }, signal)

  /** Fires as a deadline does as soon as the script has written its pids to `file`. */
  async function stopWhenReady(file: string, run: (signal: AbortSignal) => Promise<CommandResult>) {
    const controller = new AbortController()
    const running = run(controller.signal)
    const pids = await pidsIn(file)
    const stoppedAt = performance.now()
    controller.abort(new DeadlineError(1))
    const result = await running
    return { result, pids, tookMs: performance.now() - stoppedAt }
  }

  describe('that ends by itself', () => {
    it('tells its exit status and both outputs', async () => {
      const result = await sh('echo said; echo complained >&2; exit 7')
      assert.deepEqual(result, { end: { kind: 'exited', status: 7 }, stdout: 'said\n', stderr: 'complained\n' })
    })

    it('tells the signal it died of', async () => {
      assert.deepEqual((await sh('kill -SEGV $$')).end, { kind: 'signalled', signal: 'SIGSEGV' })
      assert.deepEqual((await sh('kill -KILL $$')).end, { kind: 'signalled', signal: 'SIGKILL' })
    })

    it('hands arguments over as they are, whatever a shell would make of them', async () => {
      const args = ['a b', '; touch x', '$(touch x)', '`touch x`', '*', '', '"', "'", '-n', '\\n', '| cat', '&', '>x']
      const result = await sh('for each; do printf "%s\\n" "$each"; done', never, ...args)
      assert.equal(result.stdout, args.map((each) => `${each}\n`).join(''))
    })

    it('keeps the first 4 KiB of megabytes and still lets the command finish', async () => {
      const result = await sh(
        'head -c 4000000 /dev/zero | tr "\\0" o; head -c 4000000 /dev/zero | tr "\\0" e >&2; exit 3',
      )
      assert.deepEqual(result, {
        end: { kind: 'exited', status: 3 },
        stdout: 'o'.repeat(4096),
        stderr: 'e'.repeat(4096),
      })
    })

    it('reads nothing from the input of the daemon', async () => {
      assert.deepEqual(await sh('cat; readlink /proc/self/fd/0'), {
        end: { kind: 'exited', status: 0 },
        stdout: '/dev/null\n',
        stderr: '',
      })
    })

    it('is not waited for when something in the background keeps its output open, and that is left alone', async () => {
      const file = join(directory, 'background')
      const started = performance.now()
      const result = await sh('sleep 30 & echo $! end > "$1"; echo done; exit 0', never, file)
      const [pid] = await pidsIn(file)
      try {
        assert.deepEqual(result, { end: { kind: 'exited', status: 0 }, stdout: 'done\n', stderr: '' })
        assert.ok(performance.now() - started < 3000)
        assert.ok(pid !== undefined && (await isRunning(pid)))
      } finally {
        if (pid !== undefined) process.kill(pid, 'SIGKILL')
      }
    })

    it('reads what it is given, megabytes too', async () => {
      const input = 'x'.repeat(3_000_000)
      const given = await runCommand({ file: '/bin/sh', args: ['-c', 'wc -c'], input }, never)
      assert.deepEqual([given.end, given.stdout.trim()], [{ kind: 'exited', status: 0 }, '3000000'])
    })

    it('may end without reading what it is given', async () => {
      const input = 'x'.repeat(3_000_000)
      const given = await runCommand({ file: '/bin/sh', args: ['-c', 'exit 4'], input }, never)
      assert.deepEqual(given.end, { kind: 'exited', status: 4 })
    })

    it('has the environment that is given, and no more', async () => {
      const environment = { PATH: '/usr/bin:/bin', ONLY: 'this' }
      const given = await runCommand({ file: '/usr/bin/env', args: [], environment }, never)
      // Node adds a name of its own where coverage is measured.
      const lines = given.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('NODE_V8_COVERAGE='))
      assert.deepEqual(lines.sort(), ['ONLY=this', 'PATH=/usr/bin:/bin'])
    })

    it('is the leader of a process group of its own', async () => {
      const result = await sh('cut -d " " -f 5 /proc/$$/stat; echo $$')
      const [group, pid] = result.stdout.trim().split('\n')
      assert.equal(group, pid)
    })

    it('leaves no listener on the signal', async () => {
      const { signal, counts } = countingSignal()
      await sh('exit 0', signal)
      assert.deepEqual(counts, { added: 1, removed: 1 })
    })
  })

  describe('with an environment', () => {
    const names = ['LDIRECTORD_NG_CHILD_TEST', 'NOTIFY_SOCKET', 'CHILD_TEST'] as const
    const saved = names.map((name) => [name, process.env[name]] as const)
    before(() => {
      for (const name of names) process.env[name] = '/nowhere/at-all'
    })
    after(() => {
      for (const [name, value] of saved) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    })

    it('inherits all but what is for the daemon itself', async () => {
      const result = await sh('echo "$LDIRECTORD_NG_CHILD_TEST,$NOTIFY_SOCKET,$CHILD_TEST"')
      assert.equal(result.stdout, ',,/nowhere/at-all\n')
    })
  })

  describe('that is over its time', () => {
    it('ends it and everything it started, within the grace', async () => {
      const file = join(directory, 'tree')
      const script =
        '(sleep 60 & echo $! >> "$1"; wait) & echo $$ $! >> "$1"; sleep 60 & echo $! >> "$1"; until [ "$(wc -l < "$1")" -ge 3 ]; do sleep 0.01; done; echo end >> "$1"; wait'
      const { result, pids, tookMs } = await stopWhenReady(file, (signal) => sh(script, signal, file))
      assert.deepEqual(result.end, { kind: 'stopped' })
      assert.equal(pids.length, 4)
      await allGone(pids)
      assert.ok(tookMs < 1500, `took ${tookMs} ms`)
    })

    it('kills a group that does not mind TERM', async () => {
      const file = join(directory, 'stubborn')
      const script =
        'trap "" TERM; (sleep 60; sleep 60) & echo $$ $! > "$1"; echo end >> "$1"; while :; do sleep 1; done'
      const { result, pids, tookMs } = await stopWhenReady(file, (signal) => sh(script, signal, file))
      assert.deepEqual(result.end, { kind: 'stopped' })
      await allGone(pids)
      assert.ok(tookMs > 400 && tookMs < 1900, `took ${tookMs} ms`)
    })

    it('kills a grandchild that does not mind TERM when the command itself ends at once', async () => {
      const file = join(directory, 'orphan')
      const script = `echo $$ >> "$1"; sh -c 'trap "" TERM; echo $$ end >> "$1"; while :; do sleep 1; done' sh "$1" & wait`
      const { pids } = await stopWhenReady(file, (signal) => sh(script, signal, file))
      assert.equal(pids.length, 2)
      await allGone(pids)
    })

    it('keeps what it had said until then', async () => {
      const file = join(directory, 'said')
      const { result } = await stopWhenReady(file, (signal) =>
        sh('echo half; echo $$ end > "$1"; sleep 60', signal, file),
      )
      assert.equal(result.stdout, 'half\n')
    })

    it('is stopped though it never ceases to write', async () => {
      const file = join(directory, 'talker')
      const { result, pids } = await stopWhenReady(file, (signal) =>
        sh('yes | head -c 9999; echo $$ end > "$1"; exec yes', signal, file),
      )
      assert.deepEqual(result.end, { kind: 'stopped' })
      assert.equal(result.stdout.length, 4096)
      await allGone(pids)
    })

    it('is not started at all when the signal has fired before', async () => {
      const file = join(directory, 'never')
      const result = await sh('touch "$1"', AbortSignal.abort(new DeadlineError(1)), file)
      assert.deepEqual(result, { end: { kind: 'stopped' }, stdout: '', stderr: '' })
      assert.equal((await readdir(directory)).includes('never'), false)
    })
  })

  describe('that cannot be started', () => {
    const cases: readonly [title: string, code: string, make: () => Promise<string>][] = [
      ['a missing file', 'ENOENT', async () => join(directory, 'missing')],
      ['a directory', 'EACCES', async () => directory],
      ['a file that may not be executed', 'EACCES', () => script('plain', '#!/bin/sh\nexit 0\n', 0o644)],
      ['a path below a file', 'ENOTDIR', async () => join(await script('file', '', 0o644), 'below')],
      ['a script whose interpreter is missing', 'ENOENT', () => script('orphaned', '#!/no/such/interpreter\n', 0o755)],
      ['a name with a NUL byte', 'ERR_INVALID_ARG_VALUE', async () => 'a\0b'],
    ]
    for (const [title, code, make] of cases) {
      it(`tells the error code: ${title}`, async () => {
        const { end } = await runCommand({ file: await make(), args: [] }, never)
        assert.equal(end.kind, 'not-started')
        assert.equal(end.kind === 'not-started' && end.code, code)
      })
    }

    it('tells an error code: a name that is nowhere in PATH', async () => {
      const { end } = await runCommand({ file: 'no-such-command-anywhere', args: [] }, never)
      // EACCES where PATH has a directory that this account may not enter.
      assert.match(end.kind === 'not-started' ? (end.code ?? '') : end.kind, /^(ENOENT|EACCES)$/)
    })

    it('tells the error code: this process has no file descriptor left', async () => {
      const starved = fileURLToPath(new URL('./run-command-starved.js', import.meta.url))
      const result = await sh('ulimit -n 64; exec "$@"', never, process.execPath, starved)
      const { end } = JSON.parse(result.stdout)
      assert.deepEqual([end.kind, end.code], ['not-started', 'EMFILE'])
    })
  })

  async function script(name: string, text: string, mode: number): Promise<string> {
    const file = join(directory, name)
    await writeFile(file, text)
    await chmod(file, mode)
    return file
  }
})

/** A signal that counts its listeners. */
function countingSignal(): { signal: AbortSignal; counts: { added: number; removed: number } } {
  const counts = { added: 0, removed: 0 }
  const { signal } = new AbortController()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    counts.added++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    counts.removed++
    remove(...args)
  }
  return { signal, counts }
}

/** The numbers a script wrote; waits until it has also written `end`. */
async function pidsIn(file: string): Promise<number[]> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.includes('end')) return (text.match(/\d+/g) ?? []).map(Number)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** KILL was sent before the result came; the kernel may need a moment. The test's own time-out is the limit. */
async function allGone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) while (await isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A zombie has ended: only its new parent has not looked yet. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/\) [ZX] /.test(stat)
}
