import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { external } from '../../checks/external.ts'
import type { VirtualSeen } from '../../src/check/contract.ts'
import { type Ask, ask, verdictOf } from './probing.ts'

const seen: VirtualSeen = { address: '192.0.2.10', port: 80, realAddress: '192.0.2.20', realPort: 8080 }

describe('the external check', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'external-'))
  })
  after(() => rm(directory, { recursive: true, force: true }))

  let count = 0
  /** Writes an executable script and gives its path. */
  async function script(body: string, { name = `script-${++count}`, mode = 0o755, head = '#!/bin/sh\n' } = {}) {
    const file = join(directory, name)
    await writeFile(file, `${head}${body}\n`)
    await chmod(file, mode)
    return file
  }
  const run = (checkcommand: string, more: Partial<Ask> = {}) =>
    ask({ check: external, virtual: seen, ...more, options: { checkcommand } })

  describe('gives the verdict of the exit status', () => {
    const cases: readonly [body: string, verdict: string, detail: string][] = [
      ['exit 0', 'up', 'exit status 0'],
      ['echo all is well; exit 0', 'up', 'exit status 0: all is well'],
      ['exit 1', 'down exit-status', 'exit status 1'],
      ['exit 255', 'down exit-status', 'exit status 255'],
      ['exit 126', 'down exit-status', 'exit status 126'],
      ['echo; echo "  the disk is full"; echo more; exit 2', 'down exit-status', 'exit status 2: the disk is full'],
      ['echo only complained >&2; exit 3', 'down exit-status', 'exit status 3: only complained'],
      ['echo complained >&2; echo said; exit 3', 'down exit-status', 'exit status 3: said'],
      [
        "printf 'red\\033[31m\\007 and \\342\\200\\256more'; exit 4",
        'down exit-status',
        'exit status 4: red\\x1b[31m\\x07 and \\u{202e}more',
      ],
      ['head -c 3000000 /dev/zero | tr "\\0" x; exit 5', 'down exit-status', `exit status 5: ${'x'.repeat(200)}…`],
    ]
    for (const [body, verdict, detail] of cases) {
      it(`${verdict}: ${body}`, async () => {
        const result = await run(await script(body))
        assert.deepEqual([verdictOf(result), result.detail], [verdict, detail])
      })
    }

    it('down exit-status: killed by a signal (D32), which Perl ldirectord takes for up', async () => {
      const file = await script('echo last words; kill -SEGV $$')
      const result = await run(file)
      assert.equal(verdictOf(result), 'down exit-status')
      assert.equal(result.detail, `${file} was killed by SIGSEGV: last words`)
    })
  })

  describe('passes four arguments', () => {
    const print = 'printf "<%s>" "$@"; exit 1'
    const cases: readonly [title: string, virtual: VirtualSeen, args: string][] = [
      ['IPv4', seen, '<192.0.2.10><80><192.0.2.20><8080>'],
      [
        'IPv6 in brackets',
        { address: '2001:db8::1', port: 80, realAddress: '2001:db8::2', realPort: 81 },
        '<[2001:db8::1]><80><[2001:db8::2]><81>',
      ],
      [
        'IPv6 that has brackets already',
        { address: '[2001:db8::1]', port: 80, realAddress: '[2001:db8::2]', realPort: 81 },
        '<[2001:db8::1]><80><[2001:db8::2]><81>',
      ],
      ['a mark and port 0', { address: '5', port: 0, realAddress: '192.0.2.20', realPort: 0 }, '<5><0><192.0.2.20><0>'],
    ]
    for (const [title, virtual, args] of cases) {
      it(title, async () => {
        // The port that is checked is another one: the configured port goes to the command.
        assert.equal((await run(await script(print), { virtual, port: 9999 })).detail, `exit status 1: ${args}`)
      })
    }

    it('what a hostile config put into them reaches no shell', async () => {
      const cellar = join(directory, 'cellar')
      await mkdir(cellar)
      const evil = (what: string): string =>
        `${what}; touch ${cellar}/x $(touch ${cellar}/x) \`touch ${cellar}/x\` | touch ${cellar}/x`
      const virtual = { address: evil('a'), port: 80, realAddress: evil('b'), realPort: 80 }
      const result = await run(await script('[ $# = 4 ] && exit 0; exit 1'), { virtual })
      assert.equal(verdictOf(result), 'up')
      const inCommand = await run(`${await script('exit 0')} ; touch ${cellar}/x`, { virtual })
      assert.equal(verdictOf(inCommand), 'up')
      await run(`/bin/true; touch ${cellar}/x`, { virtual })
      await run(`$(touch ${cellar}/x)`, { virtual })
      assert.deepEqual(await readdir(cellar), [])
    })
  })

  describe('finds the command', () => {
    const print = 'printf "<%s>" "$@"; exit 1'
    it('by a path with blanks in it', async () => {
      const result = await run(await script(print, { name: 'my check.sh' }))
      assert.equal(result.detail, 'exit status 1: <192.0.2.10><80><192.0.2.20><8080>')
    })

    it('and takes the words after it as its first arguments where no file has the whole name', async () => {
      const result = await run(`${await script(print)} -w  5\t"x"`)
      assert.equal(result.detail, 'exit status 1: <-w><5><"x"><192.0.2.10><80><192.0.2.20><8080>')
    })

    it('in PATH when it has no slash', async () => {
      assert.equal(verdictOf(await run('true')), 'up')
    })

    it('without a first line that names an interpreter', async () => {
      assert.equal(verdictOf(await run(await script('exit 0', { head: '' }))), 'up')
    })

    const bad: readonly [title: string, make: () => Promise<string>, detail: RegExp][] = [
      ['a missing file', async () => join(directory, 'missing'), /exit status 127: could not execute .*ENOENT/],
      ['a missing file with arguments', async () => `${directory}/missing -x`, /exit status 127.*ENOENT/],
      ['a file that may not be executed', () => script('exit 0', { mode: 0o644 }), /exit status 127.*EACCES/],
      ['a directory', async () => directory, /exit status 127.*EACCES/],
    ]
    for (const [title, make, detail] of bad) {
      it(`down exit-status: ${title}`, async () => {
        const result = await run(await make())
        assert.equal(verdictOf(result), 'down exit-status')
        assert.match(result.detail, detail)
      })
    }
  })

  describe('is bounded', () => {
    it('down timeout: the script and the sleepers it started are gone', async () => {
      const pids = join(directory, 'pids')
      const file = await script(
        `echo $$ >> ${pids}; (trap "" TERM; sleep 60; sleep 60) & sleep 60 & echo $! >> ${pids}; wait`,
      )
      const result = await run(file, { timeoutMs: 700 })
      assert.equal(verdictOf(result), 'down timeout')
      assert.match(result.detail, /no answer within 700 ms: running .*, now killed/)
      assert.ok(result.durationMs < 2400, `took ${result.durationMs} ms`)
      for (const pid of (await readFile(pids, 'utf8')).trim().split('\n')) await untilGone(Number(pid))
    })

    it('down timeout: a script that goes on writing', async () => {
      const result = await run(await script('exec yes no end'), { timeoutMs: 200 })
      assert.equal(verdictOf(result), 'down timeout')
      assert.ok(result.durationMs < 1000)
    })

    it('unknown cancelled: called off while it runs, and nothing is left', async () => {
      const pids = join(directory, 'cancelled')
      const controller = new AbortController()
      const running = run(await script(`echo $$ > ${pids}; sleep 60`), { signal: controller.signal })
      let text = ''
      while (!text.endsWith('\n')) text = await readFile(pids, 'utf8').catch(() => '')
      controller.abort(new Error('stopping'))
      assert.equal(verdictOf(await running), 'unknown cancelled')
      await untilGone(Number(text))
    })
  })
})

/** Until the process has ended, a zombie being one that has; the test's own time-out is the limit. */
async function untilGone(pid: number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
    if (stat === undefined || /\) [ZX] /.test(stat)) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
