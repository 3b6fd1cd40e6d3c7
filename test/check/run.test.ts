import assert from 'node:assert/strict'
import type { CheckContext } from '../../src/check/contract.ts'
import { abandonAfterMs, type ProbeRun, type RunOptions, runProbe } from '../../src/check/run.ts'
import { type CheckResult, down, unknown, up } from '../../src/model/verdict.ts'
import { fakeProbe, held, obeying } from '../health/fakes.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'

function optionsFor(clock: VirtualClock, more: Partial<RunOptions> = {}): RunOptions {
  return { clock, isVirtualAddress: () => false, warn: () => undefined, ...more }
}

/** Starts a run and collects its end. */
function start(
  clock: VirtualClock,
  check: (context: CheckContext) => Promise<CheckResult>,
  more: Partial<RunOptions> = {},
): { end: () => ProbeRun | undefined } {
  let run: ProbeRun | undefined
  void runProbe(fakeProbe('fake', check), optionsFor(clock, more)).then((ended) => {
    run = ended
  })
  return { end: () => run }
}

const resultOf = async (check: (context: CheckContext) => Promise<CheckResult>): Promise<CheckResult> =>
  (await runProbe(fakeProbe('fake', check), optionsFor(createVirtualClock()))).result

describe('runProbe', () => {
  it("gives the check's own verdict with the time it took and the steps it told", async () => {
    const clock = createVirtualClock(5000)
    const traced: string[] = []
    const { end } = start(
      clock,
      async (context) => {
        context.step('connected')
        await new Promise<void>((resolve) => clock.setTimer('server', 40, resolve))
        context.step('greeting: "220\r\n"')
        return up('220')
      },
      { trace: (note) => traced.push(note) },
    )
    await clock.advance(40)
    const steps = [
      { atMs: 0, note: 'connected' },
      { atMs: 40, note: 'greeting: "220\\r\\n"' },
    ]
    assert.deepEqual(end(), { result: up('220'), at: 5040, durationMs: 40, steps })
    assert.deepEqual(
      traced,
      steps.map(({ note }) => note),
    )
    assert.deepEqual(clock.openTimers(), [])
  })

  it('tells the check its deadline and who our own addresses are', async () => {
    const probe = fakeProbe('fake', async (context) =>
      up(`${context.timeoutMs} ${context.isVirtualAddress('192.0.2.1')} ${context.isVirtualAddress('192.0.2.9')}`),
    )
    const isVirtualAddress = (address: string): boolean => address === '192.0.2.1'
    const run = await runProbe(probe, optionsFor(createVirtualClock(), { isVirtualAddress }))
    assert.deepEqual(run.result, up('1000 true false'))
  })

  it('lets a verdict stand that was known before a slow good-bye, at the deadline only', async () => {
    for (const leaves of ['rejects', 'resolves'] as const) {
      const clock = createVirtualClock()
      const cancel = new AbortController()
      const probe = fakeProbe('fake', async (context) => {
        context.decided(up('greeted'))
        await obeying(context).catch((error: unknown) => {
          if (leaves === 'rejects') throw error
        })
        return up('greeted')
      })
      const late = runProbe(probe, optionsFor(clock))
      await clock.advance(1000)
      assert.deepEqual((await late).result, up('greeted'))
      const calledOff = runProbe(probe, optionsFor(clock, { signal: cancel.signal }))
      await clock.settle()
      cancel.abort()
      const { result } = await calledOff
      assert.deepEqual([result.verdict, result.verdict === 'unknown' && result.reason], ['unknown', 'cancelled'])
    }
  })

  it('makes what a server said printable, in the detail, the steps and the warnings', async () => {
    const warnings: string[] = []
    const probe = fakeProbe('fake', async (context) => {
      context.warn('odd\u001b[2J')
      context.step('\u0007'.repeat(5))
      return down('mismatch', `got \u001b]0;x\u0007${'y'.repeat(5000)}`)
    })
    const run = await runProbe(probe, optionsFor(createVirtualClock(), { warn: (text) => warnings.push(text) }))
    assert.ok(run.result.detail.startsWith('got \\x1b]0;x\\x07yyy'))
    assert.ok(run.result.detail.length < 600)
    const notes = run.steps.map(({ note }) => note)
    assert.deepEqual([warnings, notes], [['odd\\x1b[2J'], ['\\x07\\x07\\x07\\x07\\x07']])
  })

  it('keeps no more than a bounded number of steps', async () => {
    const probe = fakeProbe('fake', async (context) => {
      for (let i = 0; i < 10_000; i += 1) context.step('x'.repeat(1000))
      return up('')
    })
    const run = await runProbe(probe, optionsFor(createVirtualClock()))
    assert.equal(run.steps.length, 100)
    assert.ok(run.steps.every(({ note }) => note.length <= 201))
  })

  it('takes a check that throws for a bug of ours, with its stack on one line', async () => {
    const thrown = await resultOf(async () => {
      throw new TypeError('x is not a function')
    })
    assert.deepEqual([thrown.verdict, 'reason' in thrown && thrown.reason], ['unknown', 'bug'])
    assert.match(thrown.detail, /^the check fake threw: TypeError: x is not a function\\n {4}at .*run\.test/)
    assert.ok(!thrown.detail.includes('\n'))
    assert.ok(thrown.detail.length < 2500)
    const atOnce = await resultOf(() => {
      throw 'not even an error'
    })
    assert.deepEqual(atOnce, unknown('bug', 'the check fake threw: not even an error'))
    const nothing = await resultOf(async () => undefined as unknown as CheckResult)
    assert.deepEqual([nothing.verdict, 'reason' in nothing && nothing.reason], ['unknown', 'bug'])
  })

  describe('at the deadline', () => {
    it('is a time-out when the check gives up with the reason of the signal', async () => {
      const clock = createVirtualClock(0)
      const { end } = start(clock, (context) => {
        context.step('connected')
        return obeying(context)
      })
      await clock.advance(999)
      assert.equal(end(), undefined)
      await clock.advance(1)
      const detail = 'no answer within 1000 ms (last: connected)'
      assert.deepEqual(end(), {
        result: down('timeout', detail),
        at: 1000,
        durationMs: 1000,
        steps: [{ atMs: 0, note: 'connected' }],
      })
      assert.deepEqual(clock.openTimers(), [])
    })

    const after: readonly (readonly [string, CheckResult, CheckResult])[] = [
      ['a socket that the deadline closed', down('closed', 'x'), down('timeout', 'x')],
      ["the check's own time-out", down('timeout', 'x'), down('timeout', 'x')],
      ['a check that takes the signal for a cancellation', unknown('cancelled', 'x'), down('timeout', 'x')],
      ['a fault of this machine', unknown('local-resource', 'x'), unknown('local-resource', 'x')],
      ['an answer that came too late', up('x'), down('timeout', 'no answer within 1000 ms: it came later (x)')],
    ]
    for (const [name, told, expected] of after) {
      it(`judges ${name}`, async () => {
        const clock = createVirtualClock()
        const { end } = start(clock, (context) => obeying(context).catch(() => told))
        await clock.advance(1000)
        assert.deepEqual(end()?.result, expected)
      })
    }

    it('leaves a check behind that does not stop, after a grace, and says when it does end', async () => {
      const clock = createVirtualClock(0)
      const check = held()
      const { end } = start(clock, check.run)
      await clock.advance(1000 + abandonAfterMs - 1)
      assert.equal(end(), undefined)
      await clock.advance(1)
      const detail = 'no answer within 1000 ms (the check did not stop when told)'
      const run = end()
      assert.deepEqual(run?.result, down('timeout', detail))
      assert.deepEqual(clock.openTimers(), [])
      let ended = false
      void run?.unfinished?.then(() => {
        ended = true
      })
      await clock.advance(60_000)
      assert.equal(ended, false)
      check.end()
      await clock.settle()
      assert.equal(ended, true)
    })
  })

  describe('when called off', () => {
    it('says cancelled, whatever the check made of it', async () => {
      for (const told of [down('closed', 'x'), up('x'), unknown('cancelled', 'x'), unknown('bug', 'x')]) {
        const clock = createVirtualClock()
        const stop = new AbortController()
        const { end } = start(clock, (context) => obeying(context).catch(() => told), { signal: stop.signal })
        await clock.advance(500)
        stop.abort(new Error('reload'))
        await clock.settle()
        assert.deepEqual(end()?.result, unknown('cancelled', 'x'))
        assert.deepEqual(clock.openTimers(), [])
      }
    })

    it('does not begin at all when that was before', async () => {
      let begun = false
      const clock = createVirtualClock()
      const { end } = start(
        clock,
        async () => {
          begun = true
          return up('')
        },
        { signal: AbortSignal.abort() },
      )
      await clock.settle()
      assert.deepEqual([begun, end()?.result], [false, unknown('cancelled', 'called off before it began')])
    })

    it('does not wait for a check that ignores it longer than the grace', async () => {
      const clock = createVirtualClock()
      const stop = new AbortController()
      const check = held()
      const { end } = start(clock, check.run, { signal: stop.signal })
      await clock.settle()
      stop.abort()
      await clock.advance(abandonAfterMs)
      assert.deepEqual(end()?.result, unknown('cancelled', 'called off (the check did not stop when told)'))
      assert.notEqual(end()?.unfinished, undefined)
      check.end()
    })
  })
})
