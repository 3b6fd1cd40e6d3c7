import assert from 'node:assert/strict'
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'
import type { CheckContext } from '../../src/check/contract.ts'
import type { Probe } from '../../src/check/probe.ts'
import { abandonAfterMs } from '../../src/check/run.ts'
import { createPool, type Pool, type PoolOptions, type Subscription } from '../../src/health/pool.ts'
import { gridOf } from '../../src/health/schedule.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type CheckResult, down, up } from '../../src/model/verdict.ts'
import { createVirtualClock, type VirtualClock } from '../lib/virtual-clock.ts'
import { fakeProbe, held, key, obeying, subscription } from './fakes.ts'

interface Bench {
  readonly clock: VirtualClock
  readonly pool: Pool
  /** Who was told what: `a up at 0`. */
  readonly told: string[]
  readonly overruns: string[]
  readonly warnings: string[]
}

function bench(more: Partial<PoolOptions> = {}): Bench {
  const clock = createVirtualClock(0)
  const told: string[] = []
  const overruns: string[] = []
  const warnings: string[] = []
  const pool = createPool({
    clock,
    concurrency: 100,
    isVirtualAddress: () => false,
    onObservation: (who, { result, at }) => told.push(`${who} ${result.verdict} at ${at}`),
    onOverrun: (who) => overruns.push(`${who} at ${clock.now()}`),
    onWarning: (who, text) => warnings.push(`${who}: ${text}`),
    ...more,
  })
  return { clock, pool, told, overruns, warnings }
}

/** A probe that notes when it was started and is up at once. */
function noting(name: string, clock: VirtualClock, starts: number[], result: CheckResult = up('')): Probe {
  return fakeProbe(name, async () => {
    starts.push(clock.monotonic())
    return result
  })
}

/** Where the runs after the first must stand: on the grid of the key, half an interval after the first at the earliest. */
function gridTimes(probe: Probe, intervalMs: number, from: number, count: number): number[] {
  const { phaseMs } = gridOf(probe.key, intervalMs)
  let next = phaseMs
  while (next < from + intervalMs / 2) next += intervalMs
  return Array.from({ length: count }, (_, n) => next + n * intervalMs)
}

describe('the check pool', () => {
  it('starts each probe at once, then keeps to the grid of its key', async () => {
    const { clock, pool, told } = bench()
    const starts: number[] = []
    const probe = noting('p', clock, starts)
    pool.update([subscription('a', probe, 1000)])
    await clock.settle()
    assert.deepEqual([starts, told], [[0], ['a up at 0']])
    await clock.advance(10_000)
    const later = gridTimes(probe, 1000, 0, starts.length - 1)
    assert.deepEqual(starts, [0, ...later])
    assert.ok(starts.length >= 10)
    assert.deepEqual(
      told,
      starts.map((at) => `a up at ${at}`),
    )
    await pool.stop()
    assert.deepEqual(clock.openTimers(), [])
  })

  it('moves each run but the first by its part of the jitter, while the grid stays', async () => {
    const parts = [0.5, 0, 0.99, 0.25]
    const { clock, pool, told } = bench({ random: () => parts.shift() ?? 0 })
    const starts: number[] = []
    const probe = noting('p', clock, starts)
    pool.update([{ ...subscription('a', probe, 1000), jitterMs: 400 }])
    await clock.advance(5999)
    const grid = gridTimes(probe, 1000, 0, starts.length - 1)
    const late = [200, 0, 396, 100]
    const moved = grid.map((slot, n) => slot + (late[n] ?? 0))
    assert.deepEqual(starts, [0, ...moved])
    assert.ok(starts.length >= 5)
    assert.deepEqual(
      told,
      starts.map((at) => `a up at ${at}`),
    )
    await pool.stop()
  })

  it('takes the least jitter of those who share a probe, and a new one from the next run on', async () => {
    const { clock, pool } = bench({ random: () => 0.5 })
    const starts: number[] = []
    const probe = noting('p', clock, starts)
    const [slow, quick] = [
      { ...subscription('a', probe, 1000), jitterMs: 800 },
      { ...subscription('b', probe, 1000), jitterMs: 200 },
    ]
    pool.update([slow, quick])
    await clock.advance(2500)
    pool.update([slow])
    await clock.advance(2500)
    const grid = gridTimes(probe, 1000, 0, starts.length - 1)
    const late = starts.slice(1).map((at, n) => at - (grid[n] ?? 0))
    // The run that was already planned keeps its moment.
    assert.deepEqual(new Set(late), new Set([100, 400]))
    assert.deepEqual(late.toSorted(), late)
    await pool.stop()
  })

  it('counts from start to start, however long a run takes', async () => {
    const { clock, pool, overruns } = bench()
    const starts: number[] = []
    const probe = fakeProbe('slow', async () => {
      starts.push(clock.monotonic())
      await new Promise<void>((resolve) => clock.setTimer('server', 400, resolve))
      return up('')
    })
    pool.update([subscription('a', probe, 1000)])
    await clock.advance(6000)
    assert.deepEqual(starts, [0, ...gridTimes(probe, 1000, 0, starts.length - 1)])
    assert.deepEqual(overruns, [])
    await clock.advance(400)
    await pool.stop()
  })

  it('runs a probe that several share once, and gives the result to each', async () => {
    const { clock, pool, told } = bench()
    const starts: number[] = []
    const [one, same] = [noting('p', clock, starts), noting('p', clock, starts)]
    pool.update([subscription('a', one, 1000), subscription('b', same, 1000)])
    await clock.settle()
    assert.deepEqual([starts, told, pool.stats().probes], [[0], ['a up at 0', 'b up at 0'], 1])
    await pool.stop()
  })

  it('runs a shared probe at the shortest interval and gives each subscriber its own ticks only', async () => {
    const { clock, pool, told } = bench()
    const starts: number[] = []
    const probe = noting('p', clock, starts)
    pool.update([subscription('often', probe, 2000), subscription('seldom', probe, 10_000)])
    await clock.advance(60_000)
    const ofWho = (who: string): string[] => told.filter((line) => line.startsWith(who))
    assert.deepEqual(
      ofWho('often'),
      starts.map((at) => `often up at ${at}`),
    )
    assert.deepEqual(
      ofWho('seldom'),
      starts.filter((_, n) => n % 5 === 0).map((at) => `seldom up at ${at}`),
    )
    await pool.stop()
  })

  it('bounds what is in flight and lets the others follow in order', async () => {
    const { clock, pool, told } = bench({ concurrency: 2 })
    const check = held()
    const subscriptions = ['a', 'b', 'c', 'd'].map((name) => subscription(name, fakeProbe(name, check.run), 1e6))
    pool.update(subscriptions)
    await clock.settle()
    const { running, waiting } = pool.stats()
    assert.deepEqual([check.started, running, waiting], [2, 2, 2])
    check.end()
    await clock.settle()
    assert.deepEqual([check.started, told], [3, ['a up at 0']])
    for (let i = 0; i < 3; i += 1) {
      check.end()
      await clock.settle()
    }
    assert.deepEqual(told, ['a up at 0', 'b up at 0', 'c up at 0', 'd up at 0'])
    await pool.stop()
  })

  it('keeps child processes within a bound of their own, so that they do not hold up sockets', async () => {
    const { clock, pool } = bench({ concurrency: 500 })
    const children = held()
    const pings = Array.from({ length: 200 }, (_, i) =>
      subscription(`p${i}`, fakeProbe(`p${i}`, children.run, { kind: 'ping' }), 1e6),
    )
    const starts: number[] = []
    pool.update([...pings, subscription('web', noting('web', clock, starts), 1e6)])
    await clock.settle()
    assert.deepEqual([children.started, pool.stats().waiting, starts], [64, 136, [0]])
    const stopped = pool.stop()
    await clock.advance(abandonAfterMs)
    await stopped
  })

  describe('when a run takes longer than the interval', () => {
    it('leaves out the runs that fall due meanwhile and says so', async () => {
      const { clock, pool, told, overruns } = bench()
      const check = held()
      const probe = fakeProbe('p', check.run, { timeoutMs: 60_000 })
      const slots = gridTimes(probe, 1000, 0, 4)
      const [first = 0, second = 0, third = 0] = slots
      pool.update([subscription('a', probe, 1000)])
      await clock.advance(second + 1)
      assert.deepEqual([check.started, overruns, told], [1, [`a at ${first}`, `a at ${second}`], []])
      check.end()
      await clock.settle()
      assert.deepEqual([check.started, told], [1, [`a up at ${second + 1}`]])
      await clock.advance(third - second - 1)
      assert.deepEqual([check.started, overruns.length, pool.stats().overruns], [2, 2, 2])
      check.end()
      await pool.stop()
    })

    it('counts waiting for a place as taking long', async () => {
      const { clock, pool, overruns } = bench({ concurrency: 1 })
      const check = held()
      pool.update([
        subscription('a', fakeProbe('a', check.run, { timeoutMs: 60_000 }), 1e6),
        subscription('b', fakeProbe('b', check.run, { timeoutMs: 60_000 }), 1000),
      ])
      await clock.advance(3000)
      assert.equal(check.started, 1)
      assert.ok(overruns.length >= 2 && overruns.every((line) => line.startsWith('b ')))
      check.end()
      await clock.settle()
      check.end()
      await pool.stop()
    })

    it('does not run a check again that did not stop when told, until it has ended', async () => {
      const { clock, pool, told, overruns } = bench()
      const check = held()
      const probe = fakeProbe('p', check.run)
      const lateEnd = 1000 + abandonAfterMs
      const [next = 0] = gridTimes(probe, 5000, 23_000 - 2500, 1)
      pool.update([subscription('a', probe, 5000)])
      await clock.advance(lateEnd)
      assert.deepEqual([told, pool.stats().lingering], [[`a down at ${lateEnd}`], 1])
      await clock.advance(23_000 - lateEnd)
      assert.equal(check.started, 1)
      assert.ok(overruns.length >= 3)
      check.end()
      await clock.advance(next - 23_000 - 1)
      assert.deepEqual([check.started, pool.stats().lingering], [1, 0])
      await clock.advance(1)
      assert.equal(check.started, 2)
      check.end()
      await clock.settle()
      await pool.stop()
      assert.deepEqual(told, [`a down at ${lateEnd}`, `a up at ${next}`])
    })
  })

  it('takes one run for all who join while a check that was left behind has not ended', async () => {
    const { clock, pool, told, overruns } = bench()
    const check = held()
    const probe = fakeProbe('p', check.run)
    const wanted = ['a', 'b', 'c'].map((name) => subscription(name, probe, 1e6))
    pool.update(wanted.slice(0, 1))
    await clock.advance(1000 + abandonAfterMs)
    pool.update(wanted.slice(0, 2))
    pool.update(wanted)
    await clock.settle()
    assert.equal(check.started, 1)
    check.end()
    await clock.settle()
    assert.deepEqual([check.started, overruns], [2, []])
    check.end()
    await clock.settle()
    assert.deepEqual(told, ['a down at 3000', 'b up at 3000', 'c up at 3000'])
    await pool.stop()
  })

  describe('on an update', () => {
    it('keeps the schedule of a probe that stays', async () => {
      const { clock, pool } = bench()
      const starts: number[] = []
      const probe = noting('p', clock, starts)
      pool.update([subscription('a', probe, 1000)])
      for (let i = 0; i < 100; i += 1) {
        await clock.advance(50)
        pool.update([subscription('a', noting('p', clock, starts), 1000)])
      }
      assert.deepEqual(starts, [0, ...gridTimes(probe, 1000, 0, starts.length - 1)])
      await pool.stop()
    })

    it('keeps a run that is under way', async () => {
      const { clock, pool, told } = bench()
      const check = held()
      const wanted = [subscription('a', fakeProbe('p', check.run), 1e6)]
      pool.update(wanted)
      await clock.advance(100)
      pool.update(wanted)
      await clock.settle()
      assert.equal(check.started, 1)
      check.end()
      await clock.settle()
      assert.deepEqual(told, ['a up at 100'])
      await pool.stop()
    })

    it('calls off a probe that left and drops what it found', async () => {
      const { clock, pool, told } = bench()
      const reasons: string[] = []
      const probe = fakeProbe('p', async (context) => {
        await obeying(context).catch((reason: Error) => reasons.push(reason.message))
        return down('closed', '')
      })
      pool.update([subscription('a', probe, 1000)])
      await clock.advance(100)
      pool.update([])
      await clock.advance(10_000)
      assert.deepEqual([reasons, told, clock.openTimers()], [['no longer wanted'], [], []])
      assert.deepEqual([pool.stats().probes, pool.stats().running], [0, 0])
    })

    it('drops the result for one who left while others stay', async () => {
      const { clock, pool, told } = bench()
      const check = held()
      const probe = fakeProbe('p', check.run)
      pool.update([subscription('a', probe, 1e6), subscription('b', probe, 1e6)])
      await clock.settle()
      pool.update([subscription('b', probe, 1e6)])
      check.end()
      await clock.settle()
      assert.deepEqual(told, ['b up at 0'])
      await pool.stop()
    })

    it('gives one who joins a probe that stands on its schedule a result at once', async () => {
      const { clock, pool, told } = bench()
      const starts: number[] = []
      const probe = noting('p', clock, starts)
      pool.update([subscription('a', probe, 100_000)])
      await clock.advance(20_000)
      pool.update([subscription('a', probe, 100_000), subscription('b', probe, 100_000)])
      await clock.settle()
      // The run was made for b; a has its own rhythm and does not count it.
      assert.deepEqual(
        [starts, told],
        [
          [0, 20_000],
          ['a up at 0', 'b up at 20000'],
        ],
      )
      await pool.stop()
    })

    it('gives one who joins during a run the result of that run', async () => {
      const { clock, pool, told } = bench()
      const check = held()
      const probe = fakeProbe('p', check.run)
      pool.update([subscription('a', probe, 1e6)])
      await clock.settle()
      pool.update([subscription('a', probe, 1e6), subscription('b', probe, 1e6)])
      check.end()
      await clock.settle()
      assert.deepEqual([check.started, told], [1, ['a up at 0', 'b up at 0']])
      await pool.stop()
    })

    it('takes a shorter interval from now on', async () => {
      const { clock, pool } = bench()
      const starts: number[] = []
      const probe = noting('p', clock, starts)
      pool.update([subscription('a', probe, 100_000)])
      await clock.advance(10_000)
      pool.update([subscription('a', probe, 1000)])
      await clock.advance(10_000)
      const later = starts.slice(1)
      assert.ok(later.length >= 9 && later.length <= 11)
      assert.ok(later.every((at) => at % 1000 === gridOf(probe.key, 1000).phaseMs))
      await pool.stop()
    })

    it('does not start a probe that came back beside its run that was called off but has not ended', async () => {
      const { clock, pool, told } = bench()
      const check = held()
      const wanted = [subscription('a', fakeProbe('p', check.run, { timeoutMs: 60_000 }), 1e6)]
      pool.update(wanted)
      await clock.settle()
      pool.update([])
      pool.update(wanted)
      await clock.advance(500)
      assert.equal(check.started, 1)
      check.end(down('refused', 'of the run before'))
      await clock.settle()
      assert.deepEqual([check.started, told], [2, []])
      check.end()
      await clock.settle()
      assert.deepEqual(told, ['a up at 500'])
      await pool.stop()
    })

    it('passes over on, off and unresolved', async () => {
      const { clock, pool, told } = bench()
      const subscriptions: Subscription[] = [
        { key: key('a'), checking: { kind: 'on' }, intervalMs: 1000 },
        { key: key('b'), checking: { kind: 'off' }, intervalMs: 1000 },
        { key: key('c'), checking: { kind: 'unresolved', detail: '' }, intervalMs: 1000 },
      ]
      pool.update(subscriptions)
      await clock.advance(5000)
      assert.deepEqual([told, pool.stats().probes, clock.openTimers()], [[], 0, []])
    })
  })

  describe('with a combined check', () => {
    it('negotiates first, then after each N connects, and after a failure', async () => {
      const { clock, pool, told } = bench()
      const ran: string[] = []
      const answers: CheckResult[] = []
      const part = (name: string): Probe =>
        fakeProbe(name, async () => {
          ran.push(name)
          return answers.shift() ?? up('')
        })
      const checking = { kind: 'combined', connects: 2, negotiate: part('neg'), connect: part('con') } as const
      answers.push(up(''), up(''), up(''), up(''), down('refused', ''), down('refused', ''), up(''))
      pool.update([
        { key: key('a'), checking, intervalMs: 1000 },
        { key: key('b'), checking, intervalMs: 1000 },
      ])
      await clock.advance(9500)
      assert.deepEqual(ran.slice(0, 8), ['neg', 'con', 'con', 'neg', 'con', 'neg', 'neg', 'con'])
      assert.equal(told.length, ran.length * 2)
      await pool.stop()
    })
  })

  describe('when told to stop', () => {
    it('calls everything off, waits for it and tells nobody any more', async () => {
      const { clock, pool, told } = bench({ concurrency: 2 })
      let ended = 0
      const slowToEnd = async (context: CheckContext): Promise<CheckResult> => {
        await obeying(context).catch(() => undefined)
        await new Promise<void>((resolve) => clock.setTimer('closing', 100, resolve))
        ended += 1
        return down('closed', '')
      }
      pool.update(['a', 'b', 'c'].map((name) => subscription(name, fakeProbe(name, slowToEnd), 1000)))
      await clock.settle()
      let isOver = false
      const over = pool.stop().then(() => {
        isOver = true
      })
      await clock.advance(99)
      assert.deepEqual([isOver, ended], [false, 0])
      await clock.advance(1)
      await over
      assert.deepEqual([ended, told, clock.openTimers()], [2, [], []])
      const { probes, running, waiting } = pool.stats()
      assert.deepEqual([probes, running, waiting], [0, 0, 0])
    })

    it('does not wait for ever for a check that does not stop', async () => {
      const { clock, pool } = bench()
      const check = held()
      pool.update([subscription('a', fakeProbe('a', check.run), 1000)])
      await clock.settle()
      const over = pool.stop()
      await clock.advance(abandonAfterMs)
      await over
      assert.equal(pool.stats().lingering, 1)
      check.end()
    })

    it('takes no update after that', async () => {
      const { clock, pool } = bench()
      const starts: number[] = []
      await pool.stop()
      pool.update([subscription('a', noting('p', clock, starts), 1000)])
      await clock.advance(5000)
      assert.deepEqual([starts, clock.openTimers()], [[], []])
    })
  })

  it('survives a callback that throws, tells it as a fault, and tells the others', async () => {
    const faults: unknown[] = []
    const told: string[] = []
    const broken = new Error('broken')
    const { clock, pool } = bench({
      onObservation: (who) => {
        told.push(who)
        if (who === 'a') throw broken
      },
      onWarning: () => {
        throw broken
      },
      onFault: (error) => faults.push(error),
    })
    const probe = fakeProbe('p', async (context) => {
      context.warn('odd')
      return up('')
    })
    pool.update([subscription('a', probe, 1000), subscription('b', probe, 1000)])
    await clock.advance(2000)
    assert.deepEqual(told.slice(0, 4), ['a', 'b', 'a', 'b'])
    assert.ok(faults.length >= 4 && faults.every((error) => error === broken))
    await pool.stop()
  })

  it('does not let a fault pass in silence when nobody asked for faults', async () => {
    const broken = new Error('broken')
    const { clock, pool } = bench({
      onObservation: () => {
        throw broken
      },
    })
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const uncaught: unknown[] = []
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      pool.update([subscription('a', noting('p', clock, []), 1e6)])
      await clock.settle()
      await clock.settle()
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    }
    assert.deepEqual([uncaught, pool.stats().faults], [[broken], 1])
    await pool.stop()
  })

  it('lets a callback change the subscriptions', async () => {
    const starts: number[] = []
    const told: string[] = []
    const { clock, pool } = bench({
      onObservation: (who) => {
        told.push(who)
        if (told.length === 1) pool.update([subscription('a', probe, 1e6), subscription('c', probe, 1e6)])
      },
    })
    const probe = noting('p', clock, starts)
    pool.update([subscription('a', probe, 1e6), subscription('b', probe, 1e6)])
    await clock.settle()
    assert.deepEqual(
      [told, starts],
      [
        ['a', 'c'],
        [0, 0],
      ],
    )
    await pool.stop()
  })

  it('tells each subscriber a warning once, and again only when the text is another', async () => {
    const { clock, pool, warnings } = bench()
    let text = 'old TLS'
    const probe = fakeProbe('p', async (context) => {
      context.warn(text)
      return up('')
    })
    pool.update([subscription('a', probe, 1000), subscription('b', probe, 1000)])
    await clock.advance(5000)
    text = 'older TLS'
    await clock.advance(5000)
    assert.deepEqual(warnings, ['a: old TLS', 'b: old TLS', 'a: older TLS', 'b: older TLS'])
    await pool.stop()
  })

  it('remembers a bounded number of warnings of a server that says something new each time', async () => {
    const { clock, pool, warnings } = bench()
    let run = 0
    const probe = fakeProbe('p', async (context) => {
      context.warn(`text ${run % 21}`)
      run += 1
      return up('')
    })
    pool.update([subscription('a', probe, 1000)])
    await clock.advance(60_000)
    assert.ok(run >= 42)
    assert.deepEqual(
      warnings.slice(0, 42),
      Array.from({ length: 42 }, (_, i) => `a: text ${i % 21}`),
    )
    await pool.stop()
  })

  it('checks a real server over a real socket: up, down when it dies, up again, and leaves none behind', async () => {
    const sockets = new Set<Socket>()
    const listen = (port: number): Promise<Server> =>
      new Promise((resolve, reject) => {
        const server = createServer((socket) => socket.end())
        server.once('error', reject)
        server.listen(port, '127.0.0.1', () => resolve(server))
      })
    const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
    let server = await listen(0)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : assert.fail()
    const probe = fakeProbe('tcp', ({ signal }) => connects(port, signal, sockets))
    const seen: string[] = []
    let wake = (): void => undefined
    const pool = createPool({
      clock: systemClock,
      concurrency: 4,
      isVirtualAddress: () => false,
      onObservation: (_who, { result }) => {
        if (seen.at(-1) !== result.verdict) seen.push(result.verdict)
        wake()
      },
      onWarning: () => undefined,
    })
    const until = async (count: number): Promise<void> => {
      while (seen.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    try {
      pool.update([subscription('a', probe, 20)])
      await until(1)
      await close(server)
      await until(2)
      server = await listen(port)
      await until(3)
      assert.deepEqual(seen, ['up', 'down', 'up'])
    } finally {
      await pool.stop()
      await close(server)
    }
    assert.equal(sockets.size, 0)
  })
})

function connects(port: number, signal: AbortSignal, sockets: Set<Socket>): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ port, host: '127.0.0.1', signal })
    let result: CheckResult = down('closed', '')
    sockets.add(socket)
    socket.once('connect', () => {
      result = up('connected')
      socket.destroy()
    })
    socket.once('error', (error) => {
      result = down('refused', error.message)
    })
    socket.once('close', () => {
      sockets.delete(socket)
      resolve(result)
    })
  })
}
