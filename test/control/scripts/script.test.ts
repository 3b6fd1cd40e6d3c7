import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createCallback } from '../../../src/control/scripts/callback.ts'
import { runWithin, type Script, type ScriptEnd, shellRunner } from '../../../src/control/scripts/script.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Event } from '../../../src/model/events.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf } from '../stage.ts'

const never = new AbortController().signal

/** A dead process that nobody has fetched does not count. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a script', () => {
  const folder = temporaryFolder()
  const run = (script: Script): Promise<ScriptEnd> => shellRunner(systemClock)(script, never)

  it('runs in a shell, in /, with what it is given, and without what is for the daemon', async () => {
    const out = folder.path('out')
    process.env['LDIRECTORD_NG_SECRET'] = 'x'
    try {
      const text = `{ echo "$0 $1"; pwd; echo "$LDIRECTORD_FWMARK,$LDIRECTORD_NG_SECRET,"; } > ${out}; read -r line`
      const end = await run({ text: `${text}; exit 3`, args: ['a b', 'c'], variables: { LDIRECTORD_FWMARK: '5' } })
      assert.deepEqual(end, { ok: false, detail: 'exit status 3' })
    } finally {
      delete process.env['LDIRECTORD_NG_SECRET']
    }
    assert.equal(readFileSync(out, 'utf8'), 'a b c\n/\n5,,\n')
  })

  it('tells the first line of a failure, made printable', async () => {
    assert.deepEqual(await run({ text: 'echo one; printf "\\n\\033[31mno such thing\\nmore" >&2; exit 1' }), {
      ok: false,
      detail: 'exit status 1: \\x1b[31mno such thing',
    })
    assert.deepEqual(await run({ text: 'yes | head -c 1000000; true' }), { ok: true, detail: 'exit status 0' })
    assert.deepEqual(await run({ text: 'kill -SEGV $$' }), { ok: false, detail: 'killed by SIGSEGV' })
    const missing = await run({ text: '/no/such/program x' })
    assert.equal(missing.ok, false)
    assert.match(missing.detail, /^exit status 127: .*\/no\/such\/program/)
  })

  it('is ended with its whole group when its time is up or the daemon ends', async () => {
    const command = { file: '/bin/sh', args: ['-c', 'trap "" TERM; sleep 600 & echo $!; wait'] }
    const late = await runWithin({ clock: systemClock, command, limitMs: 200 }, never)
    assert.equal(late.ok, false)
    const [, pid = ''] = /^ended after 0\.2 s: (\d+)$/.exec(late.detail) ?? []
    assert.equal(isRunning(pid), false, late.detail)
    const ended = new AbortController()
    const running = runWithin({ clock: systemClock, command, limitMs: 60_000 }, ended.signal)
    ended.abort()
    assert.match((await running).detail, /^ended with the daemon/)
    const after = await runWithin({ clock: systemClock, command, limitMs: 60_000 }, ended.signal)
    assert.deepEqual(after, { ok: false, detail: 'the daemon ends' })
  })

  it('may leave something in the background, which can write on', async () => {
    const out = folder.path('out')
    writeFileSync(out, '')
    const text = `{ read -r _ < ${folder.path('go')}; echo still here && echo "alive" > ${out}; } &`
    assert.deepEqual(await run({ text: `mkfifo ${folder.path('go')}; ${text}` }), { ok: true, detail: 'exit status 0' })
    writeFileSync(folder.path('go'), '\n')
    while (readFileSync(out, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(readFileSync(out, 'utf8'), 'alive\n')
  })
})

describe('callback', () => {
  const folder = temporaryFolder()

  const open = (): { told: Event[]; callback: ReturnType<typeof createCallback> } => {
    const told: Event[] = []
    return { told, callback: createCallback({ clock: systemClock, tell: (event) => told.push(event) }) }
  }
  const script = (name: string, text: string, mode = 0o755): string => {
    writeFileSync(folder.path(name), text)
    chmodSync(folder.path(name), mode)
    return folder.path(name)
  }

  it('runs with the whole path of the configuration, blanks and all, also without #!', async () => {
    const { told, callback } = open()
    const program = script('sync it.sh', `printf '%s|%s\\n' "$#" "$1" >> '${folder.path('out')}'\n`)
    callback.onConfig?.(configOf([], { callback: program }))
    callback.onFileChanged?.('/etc/ha.d/my director.cf')
    await callback.stop?.()
    assert.equal(readFileSync(folder.path('out'), 'utf8'), '1|/etc/ha.d/my director.cf\n')
    assert.deepEqual(told, [{ kind: 'script-ended', script: 'callback', subject: program, detail: 'exit status 0' }])
    callback.onFileChanged?.('/etc/ha.d/my director.cf')
    assert.equal(told.length, 1, 'nothing begins after the end')
  })

  it('uses the value in force when the file changed, and none when there is none', async () => {
    const { told, callback } = open()
    callback.onFileChanged?.('/a.cf')
    callback.onConfig?.(configOf([], { callback: script('old', '#!/bin/sh\nexit 1\n') }))
    callback.onConfig?.(configOf([], { callback: script('new', '#!/bin/sh\necho "sorry" >&2; exit 2\n') }))
    callback.onFileChanged?.('/a.cf')
    await callback.stop?.()
    assert.deepEqual(told, [
      { kind: 'script-failed', script: 'callback', subject: folder.path('new'), detail: 'exit status 2: sorry' },
    ])
  })

  it('must be a program', async () => {
    for (const [program, why] of [
      [script('plain', 'x', 0o644), /^it cannot be executed: (EACCES|.*)/],
      [folder.path('.'), /^it is no program$/],
      ['/no/such/program', /^it cannot be executed: ENOENT/],
    ] as const) {
      const { told, callback } = open()
      callback.onConfig?.(configOf([], { callback: program }))
      callback.onFileChanged?.('/a.cf')
      await callback.stop?.()
      const [event] = told
      assert.equal(event?.kind, 'script-failed')
      assert.match(event.detail, why)
    }
  })

  it('runs once more for all changes that came while it ran', async () => {
    const told: Event[] = []
    const ran: (readonly string[])[] = []
    const open: (() => void)[] = []
    const callback = createCallback({
      clock: systemClock,
      tell: (event) => told.push(event),
      run: ({ args = [] }) => {
        ran.push(args)
        return new Promise((resolve) => open.push(() => resolve({ ok: true, detail: 'exit status 0' })))
      },
    })
    const begun = async (count: number): Promise<void> => {
      while (ran.length < count) await new Promise((resolve) => setImmediate(resolve))
    }
    callback.onConfig?.(configOf([], { callback: '/bin/true' }))
    for (let n = 0; n < 4; n++) callback.onFileChanged?.('/a.cf')
    await begun(1)
    callback.onFileChanged?.('/a.cf')
    callback.onFileChanged?.('/a.cf')
    open.shift()?.()
    await begun(2)
    open.shift()?.()
    await callback.stop?.()
    assert.deepEqual(ran, [
      ['/bin/true', '/a.cf'],
      ['/bin/true', '/a.cf'],
    ])
    assert.equal(told.length, 2)
  })
})
