import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Companion } from '../../../src/control/companion.ts'
import { createExecutor } from '../../../src/control/scripts/execute.ts'
import {
  executedBy,
  executedName,
  leadsTo,
  type OtherInstances,
  otherInstances,
} from '../../../src/control/scripts/instances.ts'
import type { ScriptEnd } from '../../../src/control/scripts/script.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { wordEvent } from '../../../src/log/wording.ts'
import type { Phase } from '../../../src/model/events.ts'
import { createVirtualClock, type VirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf } from '../stage.ts'

interface Bench {
  readonly clock: VirtualClock
  readonly executor: Companion
  /** Orders, in order. */
  readonly did: string[]
  readonly log: string[]
  /** Pids of those that run. */
  readonly alive: Map<string, number>
  /** By name: what its file executes. */
  readonly files: Map<string, readonly string[]>
  /** How starts end; absent: well. */
  readonly fails: Map<string, ScriptEnd>
  phase: Phase
  /** They do not end. */
  isStubborn: boolean
  /** A reload that takes this list. */
  reload(...names: readonly string[]): Promise<void>
}

function bench(names: readonly string[], more: { instance?: string; lineage?: readonly string[] } = {}): Bench {
  const clock = createVirtualClock()
  const did: string[] = []
  const log: string[] = []
  const alive = new Map<string, number>()
  const files = new Map<string, readonly string[]>()
  const fails = new Map<string, ScriptEnd>()
  const others: OtherInstances = {
    pidOf: (name) => alive.get(name),
    signal: (pid, signal) => {
      const name = [...alive].find(([, each]) => each === pid)?.[0] ?? '?'
      did.push(`${signal} ${name}`)
      if (signal !== 'SIGHUP' && !set.isStubborn) alive.delete(name)
      return 'sent'
    },
    start: async (name) => {
      did.push(`start ${name}`)
      const failed = fails.get(name)
      if (failed === undefined && !alive.has(name)) alive.set(name, 100 + alive.size)
      return failed ?? { ok: true, detail: 'exit status 0' }
    },
    executedBy: (name) => files.get(name) ?? [],
  }
  const tell: Parameters<typeof createExecutor>[0]['tell'] = (event) =>
    log.push(...wordEvent(event, { pid: 1, version: '0' }).lines)
  const { instance = 'a.cf', lineage = [] } = more
  const phase = (): Phase => set.phase
  const executor = createExecutor({ clock, tell, instance, lineage, phase, others, keepTableSignal: 'SIGUSR2' })
  const set: Bench = {
    ...{ clock, executor, did, log, alive, files, fails },
    phase: 'starting',
    isStubborn: false,
    reload: async (...next) => {
      executor.onReload?.('begun')
      executor.onConfig?.(configOf([], { execute: next }))
      executor.onReload?.('ended')
      await clock.settle()
    },
  }
  executor.onConfig?.(configOf([], { execute: names }))
  return set
}

async function begun(names: readonly string[], more: Parameters<typeof bench>[1] = {}): Promise<Bench> {
  const set = bench(names, more)
  set.phase = 'running'
  set.executor.onChange?.()
  await set.clock.settle()
  return set
}

describe('execute', () => {
  it('starts the others after the first round of checks, each once, and says how', async () => {
    const set = bench(['b.cf', '"c d.cf"', 'b.cf', 'e.cf'])
    set.alive.set('b.cf', 7)
    set.fails.set('e.cf', { ok: false, detail: 'exit status 2: Error [5] reading file' })
    set.executor.onChange?.()
    await set.clock.settle()
    assert.deepEqual(set.did, [])
    set.phase = 'running'
    set.executor.onChange?.()
    set.executor.onChange?.()
    await set.clock.settle()
    assert.deepEqual(set.did, ['start b.cf', 'start c d.cf', 'start e.cf'])
    assert.deepEqual(set.log.toSorted(), [
      'execute b.cf start: it runs already, pid 7',
      'execute c d.cf start: exit status 0',
      'execute e.cf start failed: exit status 2: Error [5] reading file',
    ])
  })

  it('reloads those that stay, starts what does not run, stops those that left, with a reload that is taken', async () => {
    const set = await begun(['b.cf', 'c.cf', 'd.cf'])
    set.alive.delete('c.cf')
    set.did.length = 0
    set.executor.onReload?.('begun')
    set.executor.onReload?.('ended')
    set.executor.onConfig?.(configOf([], { execute: ['b.cf', 'c.cf', 'd.cf'] }))
    await set.clock.settle()
    assert.deepEqual(set.did, [], 'a reload that was refused, a name that got its address')
    await set.reload('b.cf', 'c.cf', 'e.cf')
    await set.clock.advance(100)
    assert.deepEqual(set.did.toSorted(), ['SIGHUP b.cf', 'SIGTERM d.cf', 'start c.cf', 'start e.cf'])
    assert.deepEqual([...set.alive.keys()].toSorted(), ['b.cf', 'c.cf', 'e.cf'])
  })

  it('stops the others with itself and waits for them, or leaves their tables when its own stays', async () => {
    for (const [kept, signal] of [
      [false, 'SIGTERM'],
      [true, 'SIGUSR2'],
    ] as const) {
      const set = await begun(['b.cf', 'c.cf'])
      set.did.length = 0
      if (kept) set.executor.tell?.({ kind: 'table-left' })
      await set.executor.stop?.()
      assert.deepEqual(set.did, [`${signal} b.cf`, `${signal} c.cf`])
      assert.deepEqual(set.clock.openTimers(), [])
    }
  })

  it('waits for a stubborn one in bounds', async () => {
    const set = await begun(['b.cf'])
    const pid = set.alive.get('b.cf') ?? 0
    let stopped = false
    set.isStubborn = true
    const done = set.executor.stop?.().then(() => {
      stopped = true
    })
    await set.clock.advance(4_900)
    assert.equal(stopped, false)
    await set.clock.advance(200)
    await done
    assert.equal(set.log.at(-1), `execute b.cf stop failed: pid ${pid} has not ended after 5 s`)
  })

  it('never begins itself, nor what has begun it', async () => {
    const set = await begun(['a.cf', '/etc/other/a.cf', 'x.cf', '""'], { lineage: ['x.cf'] })
    assert.deepEqual(set.did, [])
    assert.deepEqual(set.log, [
      'execute a.cf failed: it leads back to itself: not started',
      'execute /etc/other/a.cf failed: it leads back to itself: not started',
      'execute x.cf failed: it leads back to itself: not started',
      'execute "" failed: no configuration is named',
    ])
    set.log.length = 0
    await set.reload('a.cf', 'x.cf', '')
    assert.deepEqual(set.log, [], 'it was said')
  })

  it('does not send a reload or a stop around in a circle', async () => {
    // B was started by hand and executes us, by way of C.
    const set = bench(['b.cf'])
    set.files.set('b.cf', ['c.cf']).set('c.cf', ['a.cf', 'b.cf'])
    set.alive.set('b.cf', 7)
    set.phase = 'running'
    set.executor.onChange?.()
    await set.clock.settle()
    await set.reload('b.cf')
    await set.executor.stop?.()
    assert.deepEqual(set.did, ['start b.cf', 'start b.cf'])
    assert.equal(set.alive.get('b.cf'), 7)
    // What we started ourselves is ours, circle or not.
    const own = bench(['b.cf'])
    own.files.set('b.cf', ['a.cf'])
    own.phase = 'running'
    own.executor.onChange?.()
    await own.clock.settle()
    await own.reload('b.cf')
    await own.executor.stop?.()
    assert.deepEqual(own.did, ['start b.cf', 'SIGHUP b.cf', 'SIGTERM b.cf'])
  })
})

describe('other instances', function () {
  this.timeout(30_000)
  const folder = temporaryFolder()
  const built = (path: string): string => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href)

  /** `start` goes into the background as ours does; the daemon notes its lineage and its signals. */
  const fake = (): string => {
    const script = folder.path('ldirectord-fake.mjs')
    writeFileSync(
      script,
      `
import { appendFileSync } from 'node:fs'
import { daemonize, isDaemonChild, readySignal } from ${built('control/process/daemonize.js')}
import { instanceOf, pidFileOf } from ${built('control/process/instance.js')}
import { acquirePidFile, readPidFile } from ${built('control/process/pid-file.js')}
const words = process.argv.slice(2).filter((word) => word !== '--')
const pidFile = pidFileOf(instanceOf(words[0]))
if (isDaemonChild()) {
  const ready = readySignal()
  const { held } = await acquirePidFile(pidFile)
  const say = (text) => appendFileSync(${JSON.stringify(folder.path('journal'))}, text + '\\n')
  say('runs ' + words.join(' ') + ', begun by ' + process.env.LDIRECTORD_NG_EXECUTED_BY + ', ' + process.env.NOTIFY_SOCKET)
  process.on('SIGHUP', () => say('HUP'))
  process.on('SIGTERM', () => { say('TERM'); held.release(); process.exit(0) })
  setTimeout(() => process.exit(3), 30000)
  ready.ready()
} else if (readPidFile(pidFile).kind !== 'running') {
  if (words[0].includes('bad')) { console.error('Error: no such thing'); process.exit(2) }
  const { exitCode } = await daemonize({ script: process.argv[1], args: process.argv.slice(2) })
  process.exit(exitCode)
}
`,
    )
    return script
  }
  const journal = (): string[] => {
    if (!existsSync(folder.path('journal'))) return []
    return readFileSync(folder.path('journal'), 'utf8').split('\n').slice(0, -1)
  }
  const until = async (count: number): Promise<void> => {
    while (journal().length < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const never = new AbortController().signal

  beforeEach(() => {
    process.env['LDIRECTORD_NG_RUN_DIR'] = folder.path('.')
    process.env['LDIRECTORD_NG_EXECUTED_BY'] = 'z.cf'
    process.env['NOTIFY_SOCKET'] = '/nowhere'
  })
  afterEach(() => {
    delete process.env['LDIRECTORD_NG_RUN_DIR']
    delete process.env['LDIRECTORD_NG_EXECUTED_BY']
    delete process.env['NOTIFY_SOCKET']
  })

  it('are started without a shell, found by their pid files, and signalled', async () => {
    const others = otherInstances({ clock: systemClock, instance: 'a.cf', script: fake() })
    const name = '-b $(x) c.cf'
    assert.equal(others.pidOf(name), undefined)
    assert.deepEqual(await others.start(name, never), { ok: true, detail: 'exit status 0' })
    const pid = others.pidOf(name)
    assert.ok(pid !== undefined)
    assert.deepEqual(await others.start(name, never), { ok: true, detail: 'exit status 0' })
    assert.equal(others.pidOf(name), pid)
    assert.equal(others.signal(pid, 'SIGUSR2'), 'unheard')
    assert.equal(others.signal(pid, 'SIGHUP'), 'sent')
    await until(2)
    assert.equal(others.signal(pid, 'SIGTERM'), 'sent')
    await until(3)
    while (others.pidOf(name) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(journal(), [`runs ${name} start, begun by z.cf/a.cf, undefined`, 'HUP', 'TERM'])
  })

  it('tell why they cannot be started', async () => {
    const others = otherInstances({ clock: systemClock, instance: 'a.cf', script: fake() })
    assert.deepEqual(await others.start('bad.cf', never), {
      ok: false,
      detail: 'exit status 2: Error: no such thing',
    })
  })

  it('are read for what they execute themselves, faults or not', () => {
    const b = folder.path('b.cf')
    writeFileSync(b, 'nonsense\nexecute = c.cf\nexecute="d.cf"\nvirtual = 10.0.0.1:80\n    execute = no.cf\n')
    assert.deepEqual(executedBy(b), ['c.cf', 'd.cf'])
    assert.deepEqual(executedBy(folder.path('missing.cf')), [])
    assert.deepEqual(executedBy(folder.path('.')), [])
    assert.deepEqual(['"b.cf"', "'b c.cf'", ' b.cf ', '""'].map(executedName), ['b.cf', 'b c.cf', 'b.cf', ''])
    const files: Record<string, string[]> = { 'b.cf': ['c.cf'], 'c.cf': ['b.cf', 'd.cf'], 'd.cf': ['a.cf'] }
    const instances = { executedBy: (name: string): string[] => files[name] ?? [] }
    assert.equal(leadsTo('a.cf', 'b.cf', instances), true)
    assert.equal(leadsTo('x.cf', 'b.cf', instances), false)
  })
})
