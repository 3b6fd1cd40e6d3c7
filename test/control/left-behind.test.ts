import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import type { Config } from '../../src/config/model.ts'
import { createDirector } from '../../src/control/director.ts'
import { leftBehind, type Marks, marksOf } from '../../src/control/left-behind.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import type { Operation, TableBackend } from '../../src/table/operation.ts'
import { configOf, createStage, vip, virtual } from './stage.ts'

const vip81 = { ...vip, port: 81 } as const
const signal = new AbortController().signal
const { real } = createStage()
const reals = [real('10.0.0.1'), real('10.0.0.2')]
const gone = virtual({ id: vip81, reals, fallback: '127.0.0.1' })
const settings = { scheduler: 'rr', schedulerFlags: 0, persistence: undefined, onePacket: false }

/** The table of a service on port 81 with these entries. */
const tableWith = async (scheduler: string, ...addresses: readonly string[]): Promise<TableBackend> => {
  const table = createMemoryTable()
  const entry = { port: 80, forwarding: 'masq', weight: 1, upper: 0, lower: 0 } as const
  const plan: Operation[] = [
    { kind: 'add-service', id: vip81, settings: { ...settings, scheduler } },
    ...addresses.map(
      (address): Operation => ({ kind: 'add-destination', id: vip81, destination: { ...entry, address } }),
    ),
  ]
  await table.apply(plan, signal)
  return table
}
const left = async (table: TableBackend, config: Config): Promise<string[]> => {
  const marks = marksOf(configOf([gone]))
  return [...leftBehind(marks, config, await table.read(new Set(marks.keys()), signal)).keys()]
}
const key81 = serviceKeyOf(vip81)

describe('What a start finds left behind', () => {
  it('is what was ours, left the file, and looks as it was left: each entry one of its section or its fallback', async () => {
    assert.deepEqual(await left(await tableWith('rr', '10.0.0.2', '127.0.0.1'), configOf([])), [key81])
    assert.deepEqual(await left(await tableWith('rr'), configOf([virtual({ reals })])), [key81])
  })

  it('is not what the file names, what is gone, or what somebody made anew', async () => {
    assert.deepEqual(await left(await tableWith('rr', '10.0.0.1'), configOf([gone])), [])
    assert.deepEqual(await left(createMemoryTable(), configOf([])), [])
    assert.deepEqual(await left(await tableWith('lc', '10.0.0.1'), configOf([])), [])
    assert.deepEqual(await left(await tableWith('rr', '10.0.0.1', '10.0.0.9'), configOf([])), [])
  })

  it('is not known while a name has no address, for it may be that of the virtual service', async () => {
    assert.deepEqual(await left(await tableWith('rr', '10.0.0.1'), { ...configOf([]), unresolved: ['web'] }), [])
  })

  it('is removed by the start, and what is not ours stays', async () => {
    const stage = createStage(await tableWith('rr', '10.0.0.1'))
    const start = async (before: Marks): Promise<void> => {
      const { clock, table: backend } = stage
      const director = createDirector({ backend, clock, tell: () => undefined, concurrency: 10, before })
      await director.start(configOf([virtual({ reals: [stage.real('10.0.0.3')] })]))
      assert.equal(director.owns(key81), false)
      await stage.advance(0)
      await director.stop({ keepTable: true })
    }
    const ours = ['-A -t 192.0.2.1:80 -s rr', '-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m -w 1']
    await start(new Map())
    assert.deepEqual(await stage.saved(), [
      ...ours,
      '-A -t 192.0.2.1:81 -s rr',
      '-a -t 192.0.2.1:81 -r 10.0.0.1:80 -m -w 1',
    ])
    await start(marksOf(configOf([gone])))
    assert.deepEqual(await stage.saved(), ours)
    assert.deepEqual(stage.clock.openTimers(), [])
  })
})
