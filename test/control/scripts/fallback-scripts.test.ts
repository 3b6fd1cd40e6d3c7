import assert from 'node:assert/strict'
import { createMemoryTable } from '../../../src/backend/memory.ts'
import type { Virtual } from '../../../src/config/model.ts'
import type { Companion } from '../../../src/control/companion.ts'
import { createOperator } from '../../../src/control/operator/operator.ts'
import { fallbackScript, fallbackSubject } from '../../../src/control/scripts/fallback-phase.ts'
import { createFallbackScripts } from '../../../src/control/scripts/fallback-scripts.ts'
import type { Script, ScriptEnd } from '../../../src/control/scripts/script.ts'
import type { Event } from '../../../src/model/events.ts'
import type { ServiceId } from '../../../src/model/service.ts'
import type { TableBackend } from '../../../src/table/operation.ts'
import { bad, configOf, createStage, good, type Stage, type VirtualParts, vip, virtual } from '../stage.ts'

interface Bench {
  readonly stage: Stage
  readonly scripts: Companion
  /** What was run, in order; `-` for each that ended. */
  readonly ran: string[]
  readonly told: Event[]
  /** Without it every script ends at once. */
  hold: boolean
  /** Ends the oldest that runs. */
  end(how?: ScriptEnd): Promise<void>
}

const fine: ScriptEnd = { ok: true, detail: 'exit status 0' }

/** The director of the stage with the companion beside it, whose scripts end when the test says so. */
function bench(table: TableBackend = createMemoryTable()): Bench {
  const ran: string[] = []
  const told: Event[] = []
  const open: ((end: ScriptEnd) => void)[] = []
  const made: { scripts?: Companion } = {}
  const stage: Stage = createStage(table, (ports) => {
    const operator = createOperator(ports)
    const { onChange } = operator
    return {
      ...operator,
      onChange: () => {
        onChange?.()
        made.scripts?.onChange?.()
      },
    }
  })
  const run = async ({ text, variables }: Script, signal: AbortSignal): Promise<ScriptEnd> => {
    ran.push(variables === undefined ? text : `${text} ${JSON.stringify(variables)}`)
    if (!set.hold) return fine
    const end = await new Promise<ScriptEnd>((resolve) => {
      open.push(resolve)
      signal.addEventListener('abort', () => resolve({ ok: false, detail: 'ended with the daemon' }), { once: true })
    })
    ran.push('-')
    return end
  }
  const { clock } = stage
  made.scripts = createFallbackScripts({
    clock,
    tell: (event) => told.push(event),
    director: () => stage.director,
    run,
  })
  const set: Bench = {
    stage,
    scripts: made.scripts,
    ran,
    told,
    hold: false,
    end: async (how = fine) => {
      open.shift()?.(how)
      await stage.clock.settle()
    },
  }
  return set
}

const command = '/etc/ha.d/sorry --now'
const one = (stage: Stage, more: VirtualParts = {}): Virtual =>
  virtual({ reals: [stage.real('10.0.0.1')], fallbackCommand: command, ...more })
const start = `${command} start 192.0.2.1:80 tcp`
const stop = `${command} stop 192.0.2.1:80 tcp`

describe('fallbackcommand', () => {
  it('gets the arguments of Perl ldirectord, an IPv6 address in quotes, a mark beside them', () => {
    const idOf = (id: ServiceId): { id: ServiceId } => ({ id })
    const six = idOf({ kind: 'address', protocol: 'udp', family: 6, address: '2001:db8::1', port: 53 })
    const mark = idOf({ kind: 'fwmark', family: 4, mark: 5 })
    assert.deepEqual(fallbackScript(idOf(vip), command, 'start'), { text: start })
    assert.deepEqual(fallbackScript(six, command, 'stop'), { text: `${command} stop '[2001:db8::1]:53' udp` })
    assert.deepEqual(fallbackScript(mark, command, 'stop'), {
      text: `${command} stop :0 fwm`,
      variables: { LDIRECTORD_FWMARK: '5' },
    })
    assert.equal(fallbackSubject(virtual(), 'start'), 'start (tcp:192.0.2.1:80)')
  })

  it('is told once how it stands after a start into an empty table, and then of each change', async () => {
    const { stage, scripts, ran, told } = bench()
    stage.answers.set('10.0.0.2', bad)
    const down = one(stage, { id: { ...vip, port: 81 }, reals: [stage.real('10.0.0.2')] })
    await stage.director.start(configOf([one(stage, { fallback: '10.0.0.9' }), down]))
    assert.deepEqual(ran, [], 'nothing is known yet')
    await stage.advance(0)
    assert.deepEqual(ran.toSorted(), [`${command} start 192.0.2.1:81 tcp`, stop].toSorted())
    ran.length = 0
    await stage.advance(60_000)
    assert.deepEqual(ran, [])
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    assert.deepEqual(ran, [start, stop])
    const subject = { script: 'fallbackcommand', detail: 'exit status 0' } as const
    assert.deepEqual(told.slice(-2), [
      { kind: 'script-ended', ...subject, subject: 'start (tcp:192.0.2.1:80)' },
      { kind: 'script-ended', ...subject, subject: 'stop (tcp:192.0.2.1:80)' },
    ])
    await stage.director.stop()
    await scripts.stop?.()
    assert.deepEqual(ran, [start, stop], 'not at the end')
    assert.deepEqual(stage.clock.openTimers(), [])
  })

  it('is not told again by a start that finds things as they were', async () => {
    const table = createMemoryTable()
    const before = bench(table)
    const { stage: first } = before
    first.answers.set('10.0.0.2', bad)
    const parts = (stage: Stage): Virtual[] => [
      one(stage, { fallback: '10.0.0.9' }),
      one(stage, { id: { ...vip, port: 81 }, reals: [stage.real('10.0.0.2')], fallback: '10.0.0.9' }),
      one(stage, { id: { ...vip, port: 82 }, reals: [stage.real('10.0.0.2')] }),
    ]
    await first.director.start(configOf(parts(first)))
    await first.advance(0)
    assert.equal(before.ran.length, 3)
    await first.director.stop({ keepTable: true })
    const { stage, ran, scripts } = bench(table)
    stage.answers.set('10.0.0.2', bad)
    await stage.director.start(configOf(parts(stage)))
    await stage.advance(60_000)
    assert.deepEqual(ran, [])
    stage.answers.set('10.0.0.2', good)
    await stage.advance(10_000)
    assert.deepEqual(
      ran.toSorted(),
      [81, 82].map((port) => `${command} stop 192.0.2.1:${port} tcp`),
    )
    await stage.director.stop()
    await scripts.stop?.()
  })

  it('is not told again by a reload, but a command that is new is told', async () => {
    const { stage, ran, scripts } = bench()
    stage.answers.set('10.0.0.1', bad)
    await stage.director.start(configOf([one(stage)]))
    await stage.advance(0)
    await stage.director.change(configOf([one(stage, { quiescent: true })]), 'reloading')
    await stage.advance(30_000)
    assert.deepEqual(ran, [start])
    await stage.director.change(configOf([one(stage, { fallbackCommand: '/bin/other' })]), 'reloading')
    await stage.advance(30_000)
    assert.deepEqual(ran, [start, '/bin/other start 192.0.2.1:80 tcp'])
    await stage.director.stop()
    await scripts.stop?.()
  })

  it('leaves out what was overtaken while it ran, and always tells the last', async () => {
    const set = bench()
    const { stage, ran, scripts, end } = set
    await stage.director.start(configOf([one(stage)]))
    await stage.advance(0)
    ran.length = 0
    set.hold = true
    for (const answer of [bad, good, bad, good]) {
      stage.answers.set('10.0.0.1', answer)
      await stage.advance(10_000)
    }
    assert.deepEqual(ran, [start], 'one at a time')
    await end({ ok: false, detail: 'exit status 1' })
    assert.deepEqual(ran, [start, '-', stop])
    stage.answers.set('10.0.0.1', bad)
    await stage.advance(10_000)
    stage.answers.set('10.0.0.1', good)
    await stage.advance(10_000)
    await end()
    await stage.advance(10_000)
    assert.deepEqual(ran, [start, '-', stop, '-'], 'down and up again while stop ran: nothing to tell')
    await stage.director.stop()
    await scripts.stop?.()
  })

  it('runs for different virtual services at the same time, eight at most', async () => {
    const set = bench()
    const { stage, ran, scripts, end } = set
    set.hold = true
    const many = Array.from({ length: 12 }, (_, n) => one(stage, { id: { ...vip, port: 100 + n } }))
    await stage.director.start(configOf(many))
    await stage.advance(0)
    assert.equal(ran.length, 8)
    for (let n = 0; n < 12; n++) await end()
    assert.equal(ran.filter((text) => text !== '-').length, 12)
    await stage.director.stop()
    await scripts.stop?.()
  })

  it('is told by maintenance too: nobody serves', async () => {
    const { stage, ran, scripts } = bench()
    const config = configOf([one(stage)])
    stage.operator.onConfig?.(config)
    await stage.director.start(config)
    await stage.advance(0)
    ran.length = 0
    const keys = [...stage.director.health.keys()]
    await stage.operator.disable(keys, { by: 'a test' })
    await stage.advance(10_000)
    await stage.operator.enable(keys)
    await stage.advance(10_000)
    assert.deepEqual(ran, [start, stop])
    await stage.director.stop()
    await stage.operator.stop?.()
    await scripts.stop?.()
  })

  describe('at the end', () => {
    const ending = async (more: VirtualParts, leave: (set: Bench) => void = () => undefined): Promise<string[]> => {
      const set = bench()
      const { stage, ran, scripts } = set
      stage.answers.set('10.0.0.1', bad)
      await stage.director.start(configOf([one(stage, more)]))
      await stage.advance(0)
      await stage.director.stop()
      leave(set)
      await scripts.stop?.()
      assert.deepEqual(stage.clock.openTimers(), [])
      return ran
    }

    it('is told stop with fallbackonstop, while no real server is up', async () => {
      assert.deepEqual(await ending({}), [start])
      assert.deepEqual(await ending({ fallbackOnStop: true }), [start, stop])
    })

    it('is not told when another daemon goes on with the table', async () => {
      const leave = ({ scripts }: Bench): void => scripts.tell?.({ kind: 'table-left' })
      assert.deepEqual(await ending({ fallbackOnStop: true }, leave), [start])
    })

    it('is told when its virtual service leaves the file, with fallbackonstop', async () => {
      for (const fallbackOnStop of [true, false]) {
        const { stage, ran, scripts } = bench()
        stage.answers.set('10.0.0.1', bad)
        await stage.director.start(configOf([one(stage, { fallbackOnStop })]))
        await stage.advance(0)
        await stage.director.change(configOf([]), 'reloading')
        await stage.advance(0)
        assert.deepEqual(ran, fallbackOnStop ? [start, stop] : [start])
        await stage.director.stop()
        await scripts.stop?.()
      }
    })

    it('is waited for five seconds and then ended', async () => {
      const set = bench()
      const { stage, ran, scripts, told } = set
      set.hold = true
      await stage.director.start(configOf([one(stage)]))
      await stage.advance(0)
      await stage.director.stop()
      let stopped = false
      void scripts.stop?.().then(() => {
        stopped = true
      })
      await stage.advance(4_999)
      assert.deepEqual([stopped, ran], [false, [stop]])
      await stage.advance(1)
      assert.deepEqual([stopped, ran], [true, [stop, '-']])
      assert.deepEqual(told, [
        {
          kind: 'script-failed',
          script: 'fallbackcommand',
          subject: 'stop (tcp:192.0.2.1:80)',
          detail: 'ended with the daemon',
        },
      ])
    })
  })
})
