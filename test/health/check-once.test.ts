import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type CheckOnceOptions, checkOnce } from '../../src/health/check-once.ts'
import type { Observation } from '../../src/health/machine.ts'
import type { Subscription } from '../../src/health/pool.ts'
import { type CheckResult, down, unknown, up } from '../../src/model/verdict.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'
import { fakeProbe, key, obeying, subscription } from './fakes.ts'

function optionsFor(clock: VirtualClock, subscriptions: readonly Subscription[]): CheckOnceOptions {
  return { subscriptions, clock, concurrency: 100, isVirtualAddress: () => false }
}

const instant = (result: CheckResult, at = 1_000_000): Observation => ({ result, at, durationMs: 0 })

/** Takes so long and then says so. */
const answering = (clock: VirtualClock, ms: number, result: CheckResult) => async (): Promise<CheckResult> => {
  await new Promise<void>((resolve) => clock.setTimer('server', ms, resolve))
  return result
}

describe('checkOnce', () => {
  it('runs everything at once and answers in file order with the time each took', async () => {
    const clock = createVirtualClock(0)
    const subscriptions = [
      subscription('slow', fakeProbe('slow', answering(clock, 300, up('late'))), 1000),
      subscription('quick', fakeProbe('quick', answering(clock, 10, down('mismatch', 'x'))), 1000),
      subscription('silent', fakeProbe('silent', obeying), 1000),
    ]
    const progress: string[] = []
    const run = checkOnce({
      ...optionsFor(clock, subscriptions),
      onProgress: (done, total) => progress.push(`${done}/${total} at ${clock.now()}`),
    })
    await clock.advance(1000)
    assert.deepEqual(
      [...(await run)],
      [
        ['slow', { result: up('late'), at: 300, durationMs: 300 }],
        ['quick', { result: down('mismatch', 'x'), at: 10, durationMs: 10 }],
        ['silent', { result: down('timeout', 'no answer within 1000 ms'), at: 1000, durationMs: 1000 }],
      ],
    )
    assert.deepEqual(progress, ['1/3 at 10', '2/3 at 300', '3/3 at 1000'])
    assert.deepEqual(clock.openTimers(), [])
  })

  it('runs a shared probe once, and of a combined check the negotiate', async () => {
    const clock = createVirtualClock()
    const ran: string[] = []
    const warnings: string[] = []
    const probe = (name: string) =>
      fakeProbe(name, async (context) => {
        ran.push(name)
        context.warn('odd')
        return up(name)
      })
    const subscriptions: Subscription[] = [
      subscription('a', probe('neg'), 1000),
      subscription('b', probe('neg'), 5000),
      {
        key: key('c'),
        checking: { kind: 'combined', connects: 3, negotiate: probe('neg'), connect: probe('con') },
        intervalMs: 1,
      },
    ]
    const found = await checkOnce({
      ...optionsFor(clock, subscriptions),
      onWarning: (who, text) => warnings.push(`${who}: ${text}`),
    })
    assert.deepEqual(ran, ['neg'])
    assert.deepEqual(warnings, ['a: odd', 'b: odd', 'c: odd'])
    assert.deepEqual(
      [...found],
      ['a', 'b', 'c'].map((who) => [who, instant(up('neg'))]),
    )
  })

  it('answers for what has no probe: on is up, off is nothing, a name without an address is down', async () => {
    const subscriptions: Subscription[] = [
      { key: key('off'), checking: { kind: 'off' }, intervalMs: 1 },
      { key: key('lost'), checking: { kind: 'unresolved', detail: 'web.test has no address' }, intervalMs: 1 },
      { key: key('on'), checking: { kind: 'on' }, intervalMs: 1 },
    ]
    const found = await checkOnce(optionsFor(createVirtualClock(), subscriptions))
    assert.deepEqual(
      [...found],
      [
        ['lost', instant(down('unreachable', 'web.test has no address'))],
        ['on', instant(up('not checked (checktype=on, or service=none)'))],
      ],
    )
  })

  it('keeps within its bound', async () => {
    const clock = createVirtualClock(0)
    const subscriptions = ['a', 'b', 'c'].map((who) =>
      subscription(who, fakeProbe(who, answering(clock, 100, up(''))), 1000),
    )
    const run = checkOnce({ ...optionsFor(clock, subscriptions), concurrency: 1 })
    await clock.advance(300)
    assert.deepEqual(
      [...(await run).values()].map(({ at, durationMs }) => [at, durationMs]),
      [
        [100, 100],
        [200, 100],
        [300, 100],
      ],
    )
  })

  it('gives what it has when it is called off, and the rest as cancelled', async () => {
    const clock = createVirtualClock(0)
    const stop = new AbortController()
    const subscriptions = [
      subscription('quick', fakeProbe('quick', answering(clock, 10, up('x'))), 1000),
      subscription('silent', fakeProbe('silent', obeying), 1000),
      subscription('waiting', fakeProbe('waiting', obeying), 1000),
      subscription('alsoWaiting', fakeProbe('alsoWaiting', obeying), 1000),
    ]
    const run = checkOnce({ ...optionsFor(clock, subscriptions), concurrency: 2, signal: stop.signal })
    await clock.advance(50)
    stop.abort(new Error('interrupted'))
    assert.deepEqual(
      [...(await run)].map(([who, { result }]) => [who, result]),
      [
        ['quick', up('x')],
        ['silent', unknown('cancelled', 'called off (interrupted)')],
        ['waiting', unknown('cancelled', 'called off (interrupted)')],
        ['alsoWaiting', unknown('cancelled', 'called off before it began')],
      ],
    )
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
  })

  it('needs nothing to do', async () => {
    assert.equal((await checkOnce(optionsFor(createVirtualClock(), []))).size, 0)
  })
})
