import assert from 'node:assert/strict'
import type { Load } from '../../src/config/load.ts'
import type { Config } from '../../src/config/model.ts'
import { createDaemon, type Daemon, type Watched } from '../../src/control/daemon.ts'
import type { Diagnostic } from '../../src/lib/diagnostics.ts'
import { wordEvent } from '../../src/log/wording.ts'
import { configOf, createStage, type Stage, virtual } from './stage.ts'

const fault: Diagnostic = {
  severity: 'error',
  code: 'unknown-directive',
  message: 'Unknown command',
  at: { file: '/etc/test.cf', line: 3, column: 1, length: 4 },
  hint: 'did you mean real?',
}
const loadedOf = (config: Config): Load => ({ config, diagnostics: [], text: '' })
const broken: Load = { config: undefined, diagnostics: [fault], text: '' }

interface Set {
  readonly stage: Stage
  readonly daemon: Daemon
  /** What the next reading of the file gives. */
  next: Load
  watched: Watched | undefined
  /** For each call of onFileChanged: the file, and whether the new config was in force. */
  readonly changed: string[]
}

function setUp(): Set {
  const stage = createStage()
  const set: { -readonly [K in keyof Set]?: Set[K] } & {
    next: Load
    watched: Watched | undefined
    changed: string[]
  } = {
    next: broken,
    watched: undefined,
    changed: [],
  }
  const daemon = createDaemon({
    clock: stage.clock,
    tell: (event) => stage.log.push(...wordEvent(event, { pid: 7, version: '0' }).lines),
    director: stage.director,
    load: async () => set.next,
    onConfig: () => undefined,
    onFileChanged: (file) => {
      const inForce = stage.director.config === set.next.config
      set.changed.push(`${file} ${inForce ? 'in force' : 'not in force'}`)
    },
    watch: (watched) => {
      set.watched = watched
      return { close: async () => undefined }
    },
  })
  return Object.assign(set, { stage, daemon })
}

describe('The daemon', () => {
  it('keeps the old config when the new file has errors, says why with positions, and takes the next good one', async () => {
    const set = setUp()
    const { stage, daemon } = set
    const first = configOf([virtual({ reals: [stage.real('10.0.0.1')] })], { autoreload: true })
    await daemon.start(loadedOf(first))
    await stage.advance(0)
    const before = await stage.saved()
    stage.log.length = 0
    assert.equal(await daemon.reload(), false)
    assert.deepEqual(await stage.saved(), before)
    assert.equal(stage.director.config, first)
    assert.deepEqual(stage.log, [
      'Error [7] reading file /etc/test.cf at line 3: Unknown command (did you mean real?)',
      'Keeping the running configuration: /etc/test.cf has errors',
    ])
    set.next = loadedOf(configOf([virtual({ reals: [stage.real('10.0.0.1', { weight: 4 })] })]))
    set.watched?.onChange()
    await stage.advance(0)
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:80 -s rr', '-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 4'])
    await daemon.stop()
    assert.deepEqual(stage.clock.openTimers(), [])
  })

  it('refuses a file that cuts off what serves, whoever asks, until it is confirmed', async () => {
    const set = setUp()
    const { stage, daemon } = set
    const first = configOf([virtual({ reals: [stage.real('10.0.0.1')] })], { autoreload: true })
    await daemon.start(loadedOf(first))
    await stage.advance(0)
    const before = await stage.saved()
    const refused = {
      at: stage.clock.now(),
      file: '/etc/test.cf',
      why: 'guard',
      reasons: ['192.0.2.1:80 would be left with none of its real servers that are up (10.0.0.1:80)'],
      plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'],
    }
    const told = [
      `Refused new configuration: ${refused.reasons[0]}`,
      'Refused new configuration: it would do ipvsadm -d -t 192.0.2.1:80 -r 10.0.0.1:80',
      'Keeping the running configuration: /etc/test.cf was refused',
    ]
    const next = configOf([virtual({ reals: [stage.real('10.0.0.2')] })])
    set.next = loadedOf(next)
    stage.log.length = 0
    assert.equal(await daemon.reload(), false)
    assert.deepEqual(daemon.refused, refused)
    assert.deepEqual(stage.log, told)
    stage.log.length = 0
    set.watched?.onChange()
    await stage.advance(0)
    assert.deepEqual(stage.log.slice(-3), told)
    assert.deepEqual(await stage.saved(), before)
    assert.equal(stage.director.config, first)
    assert.equal(await daemon.reload({ confirm: true }), true)
    await stage.advance(0)
    assert.equal(daemon.refused, undefined)
    assert.equal(stage.director.config, next)
    assert.deepEqual(await stage.saved(), ['-A -t 192.0.2.1:80 -s rr', '-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1'])
    // The confirmation was for that one reading.
    set.next = loadedOf(configOf([]))
    assert.equal(await daemon.reload(), false)
    await daemon.stop()
  })

  it('forgets a refusal with the next file that it takes, and does not confirm a file with errors', async () => {
    const set = setUp()
    const { stage, daemon } = set
    const first = configOf([virtual({ reals: [stage.real('10.0.0.1')] })])
    await daemon.start(loadedOf(first))
    await stage.advance(0)
    assert.equal(await daemon.reload({ confirm: true }), false)
    assert.deepEqual(daemon.refused, {
      at: stage.clock.now(),
      file: '/etc/test.cf',
      why: 'errors',
      reasons: ['line 3: Unknown command'],
      plan: [],
    })
    set.next = loadedOf(configOf([]))
    assert.equal(await daemon.reload(), false)
    assert.deepEqual([daemon.refused?.why, daemon.refused?.plan], ['guard', ['-D -t 192.0.2.1:80']])
    stage.log.length = 0
    set.watched?.onCurrent()
    set.watched?.onCurrent()
    assert.equal(daemon.refused, undefined)
    assert.deepEqual(stage.log, ["Configuration file '/etc/test.cf' is again the one in force"])
    set.next = loadedOf(first)
    assert.equal(await daemon.reload(), true)
    assert.equal(daemon.refused, undefined)
    await daemon.stop()
  })

  it('only tells of a changed file without autoreload', async () => {
    const set = setUp()
    const { stage, daemon } = set
    const first = configOf([virtual({ reals: [stage.real('10.0.0.1')] })])
    await daemon.start(loadedOf(first))
    await stage.advance(0)
    stage.log.length = 0
    set.watched?.onChange()
    set.watched?.onMissing()
    await stage.advance(0)
    assert.equal(stage.director.config, first)
    assert.deepEqual(stage.log, [
      "Configuration file '/etc/test.cf' has changed on disk",
      ' - ignore new configuration',
      'Warning [7]: can not open file /etc/test.cf for checking',
    ])
    await daemon.stop()
  })

  it('says that the file has changed after the reload, taken or not, and at once without autoreload', async () => {
    const set = setUp()
    const { stage, daemon } = set
    const reals = [stage.real('10.0.0.1')]
    await daemon.start(loadedOf(configOf([virtual({ reals })], { autoreload: true })))
    await stage.advance(0)
    for (const next of [loadedOf(configOf([virtual({ reals })])), broken]) {
      set.next = next
      set.watched?.onChange()
      await stage.advance(0)
    }
    await daemon.reload()
    assert.deepEqual(set.changed, ['/etc/test.cf in force', '/etc/test.cf not in force'])
    await daemon.stop()
  })

  it('asks again for names without an address and takes the real server in when it has one', async () => {
    const { stage, daemon } = setUp()
    const later = stage.real('10.0.0.2')
    const nowhere = {
      ...later,
      host: 'web2',
      address: undefined,
      checking: { kind: 'unresolved' as const, detail: 'web2 does not resolve' },
    }
    const first = {
      ...configOf([virtual({ reals: [stage.real('10.0.0.1'), nowhere] })]),
      unresolved: ['web2'],
    }
    let asked = 0
    const resolveAgain = async (): Promise<Load> => {
      asked += 1
      return loadedOf(asked < 2 ? first : configOf([virtual({ reals: [stage.real('10.0.0.1'), later] })]))
    }
    await daemon.start({ ...loadedOf(first), resolveAgain })
    await stage.advance(15_000)
    assert.equal(asked, 1)
    assert.deepEqual((await stage.saved()).length, 2)
    await stage.advance(15_000)
    assert.deepEqual((await stage.saved()).slice(1), [
      '-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1',
      '-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1',
    ])
    assert.ok(stage.log.includes('Names have an address now: web2'))
    await stage.advance(60_000)
    assert.equal(asked, 2)
    await daemon.stop()
  })

  it('asks again for a name whose last address it uses, until it answers', async () => {
    const { stage, daemon } = setUp()
    const config = (address: string): Config => configOf([virtual({ reals: [stage.real(address)] })])
    const assumed = [{ name: 'web', family: 4, address: '10.0.0.1' }] as const
    let asked = 0
    const resolveAgain = async (): Promise<Load> => {
      asked += 1
      return asked < 2 ? { ...loadedOf(config('10.0.0.1')), assumed, resolveAgain } : loadedOf(config('10.0.0.2'))
    }
    await daemon.start({ ...loadedOf(config('10.0.0.1')), assumed, resolveAgain })
    await stage.advance(15_000)
    assert.deepEqual((await stage.saved()).slice(1), ['-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1'])
    await stage.advance(15_000)
    assert.deepEqual((await stage.saved()).slice(1), ['-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1'])
    assert.ok(stage.log.includes('Names have an address now: web'))
    await stage.advance(60_000)
    assert.equal(asked, 2)
    await daemon.stop()
  })
})
