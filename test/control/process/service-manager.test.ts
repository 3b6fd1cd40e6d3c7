import assert from 'node:assert/strict'
import { createMemoryTable } from '../../../src/backend/memory.ts'
import type { Words } from '../../../src/control/process/notify.ts'
import { createServiceManager, type ServiceManager } from '../../../src/control/process/service-manager.ts'
import type { TableBackend } from '../../../src/table/operation.ts'
import { bad, configOf, createStage, type Stage, virtual } from '../stage.ts'

interface Set {
  readonly stage: Stage
  readonly manager: ServiceManager
  /** What systemd was told, `NAME=value` side by side. */
  readonly heard: string[]
  readonly faults: string[]
}

function setUp(table?: TableBackend, watchdogMs: number | undefined = 30_000): Set {
  const stage = createStage(table)
  const heard: string[] = []
  const faults: string[] = []
  const send = (words: Words): void => {
    heard.push(
      Object.entries(words)
        .map((pair) => pair.join('='))
        .join(' '),
    )
  }
  const manager = createServiceManager({
    clock: stage.clock,
    tell: (event) => void (event.kind === 'fault' && faults.push(event.text)),
    notifier: { send, close: async () => undefined },
    watchdogMs,
    director: () => stage.director,
    monotonicUsec: () => 4_711n,
  })
  return { stage, manager, heard, faults }
}

const vip81 = { kind: 'address', protocol: 'tcp', family: 4, address: '192.0.2.1', port: 81 } as const
const up = 'STATUS=1 virtual, 1 of 1 reals up'

/** A table that, from `hang` on, answers no read before its deadline. */
function hangingTable(): { table: TableBackend; hang(): void } {
  const memory = createMemoryTable()
  let hangs = false
  return {
    hang: () => {
      hangs = true
    },
    table: {
      ...memory,
      read: (ours, signal) => {
        if (!hangs) return memory.read(ours, signal)
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    },
  }
}

describe('What systemd is told', () => {
  const begin = async ({ stage, manager }: Set, config = oneVirtual(stage)): Promise<void> => {
    manager.onConfig?.(config)
    await stage.director.start(config)
    await stage.advance(0)
    manager.ready()
  }
  const oneVirtual = (stage: Stage) => configOf([virtual({ reals: [stage.real('10.0.0.1')] })])
  const end = async ({ stage, manager }: Set): Promise<void> => {
    await manager.stop?.()
    const stopped = stage.director.stop()
    // For a read that waits for its deadline.
    await stage.advance(30_000)
    await stopped
    assert.deepEqual(stage.clock.openTimers(), [])
  }

  it('is that we are ready, reload, are ready again and stop, each with the line when it changed', async () => {
    const set = setUp(undefined, undefined)
    const { manager, heard, stage } = set
    manager.onReload?.('begun')
    manager.onReload?.('ended')
    manager.onChange?.()
    await begin(set)
    manager.onReload?.('begun')
    const next = configOf([
      virtual({ reals: [stage.real('10.0.0.1'), stage.real('10.0.0.2')] }),
      virtual({ id: vip81, reals: [stage.real('10.0.0.3')] }),
    ])
    stage.answers.set('10.0.0.3', bad)
    await stage.director.change(next, 'reloading')
    await stage.advance(0)
    manager.onReload?.('ended')
    manager.stopping()
    manager.onChange?.()
    assert.deepEqual(heard, [
      `READY=1 ${up}`,
      'RELOADING=1 MONOTONIC_USEC=4711',
      'READY=1 STATUS=2 virtuals, 2 of 3 reals up',
      'STOPPING=1 STATUS=stopping',
    ])
    await end(set)
  })

  it('is the line once a second while it changes, and nothing while it does not', async () => {
    const set = setUp(undefined, undefined)
    const { manager, heard, stage } = set
    await begin(set)
    heard.length = 0
    stage.answers.set('10.0.0.1', bad)
    for (let n = 0; n < 12; n += 1) {
      manager.onChange?.()
      await stage.advance(1_000)
    }
    assert.deepEqual(heard, ['STATUS=1 virtual, 0 of 1 reals up'])
    await end(set)
  })

  it('is what is wrong: the table, a refused file; and that it is over', async () => {
    const set = setUp(undefined, undefined)
    const { manager, heard, stage } = set
    await begin(set)
    heard.length = 0
    const refused = { kind: 'reload-refused', file: 'a.cf', reasons: [], plan: [] } as const
    for (const event of [
      { kind: 'table-unreadable', text: 'x' },
      refused,
      { kind: 'table-readable' },
      { kind: 'config-loaded', virtuals: 1, reals: 1 },
      { kind: 'config-kept', file: 'a.cf' },
    ] as const) {
      manager.tell?.(event)
      await stage.advance(1_000)
    }
    assert.deepEqual(heard, [
      `${up}; the IPVS table can not be read`,
      `${up}; the IPVS table can not be read; the new configuration was refused, the old one is in force`,
      `${up}; the new configuration was refused, the old one is in force`,
      up,
      `${up}; the new configuration was refused, the old one is in force`,
    ])
    await end(set)
  })

  /** How many signs of life came while this much time passed. */
  const signs = async ({ heard, stage }: Set, ms: number): Promise<number> => {
    heard.length = 0
    await stage.advance(ms)
    return heard.filter((words) => words.startsWith('WATCHDOG=1')).length
  }

  it('is a sign of life at half of the time, also while a server is silent until its deadline', async () => {
    const set = setUp()
    await begin(set)
    assert.equal(await signs(set, 60_000), 4)
    set.stage.answers.set('10.0.0.1', 'silent')
    assert.equal(await signs(set, 600_000), 40)
    set.manager.stopping()
    assert.equal(await signs(set, 60_000), 0)
    assert.deepEqual(set.faults, [])
    await end(set)
  })

  it('is a sign of life between checks that are hours apart', async () => {
    const set = setUp()
    const hourly = virtual({ reals: [set.stage.real('10.0.0.1')], checkIntervalMs: 3_600_000, checkJitterMs: 600_000 })
    await begin(set, configOf([hourly]))
    assert.equal(await signs(set, 36_000_000), 2400)
    await end(set)
  })

  it('is a sign of life where no check probes, and where there is nothing to do', async () => {
    for (const reals of [[], [{ ...createStage().real('10.0.0.1'), checking: { kind: 'on' } as const }]]) {
      const set = setUp()
      await begin(set, configOf([virtual({ reals })]))
      assert.equal(await signs(set, 600_000), 40)
      await end(set)
    }
  })

  it('is a sign of life while reads of the table end by their deadline, for that loop moves', async () => {
    const { table, hang } = hangingTable()
    const set = setUp(table)
    await begin(set)
    hang()
    assert.equal(await signs(set, 600_000), 40)
    await end(set)
  })

  it('is nothing any more, in bounded time, when a loop hangs; the log says which, once', async () => {
    const cases = [
      { stops: 'passes', signs: 5, fault: 'no pass over the IPVS table for 75 s: the watchdog is not fed any more' },
      { stops: 'runs', signs: 3, fault: 'no check has begun for 45 s: the watchdog is not fed any more' },
    ] as const
    for (const { stops, signs: expected, fault } of cases) {
      const set = setUp()
      await begin(set)
      const { stage } = set
      const frozen = stage.director.progress[stops]
      const { progress } = Object.getOwnPropertyDescriptors(stage.director)
      Object.defineProperty(stage.director, 'progress', {
        get: () => ({ ...progress.get?.call(stage.director), [stops]: frozen }),
      })
      assert.equal(await signs(set, 600_000), expected)
      assert.deepEqual(set.faults, [fault])
      await end(set)
    }
  })
})
