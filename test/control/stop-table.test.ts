import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import { stopTable } from '../../src/control/stop-table.ts'
import { wordEvent } from '../../src/log/wording.ts'
import type { VirtualService } from '../../src/model/table.ts'
import { TableError } from '../../src/table/operation.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import { configOf, createStage, virtual } from './stage.ts'

/** Stops over a table of one virtual service that was applied and, unless the test says so, is not in the table. */
async function stop(table = createMemoryTable()): Promise<string[]> {
  const own = virtual({ reals: [createStage().real('10.0.0.1')] })
  const service: VirtualService = { id: own.id, ...own.settings, destinations: new Map() }
  const log: string[] = []
  await stopTable({
    backend: table,
    clock: createVirtualClock(),
    tell: (event) => log.push(...wordEvent(event, { pid: 1, version: '0' }).lines),
    config: configOf([own]),
    applied: new Map([[own.key, service]]),
  })
  return log
}

describe('Clearing the table at the end', () => {
  it('says nothing of a virtual service that somebody removed before', async () => {
    assert.deepEqual(await stop(), [])
  })

  it('tells a refusal with the operation and does not throw', async () => {
    const table = createMemoryTable()
    table.apply = async (plan) =>
      plan.map((operation) => ({ operation, ok: false, error: new TableError('EPERM', 'not permitted') }))
    assert.deepEqual(await stop(table), ['IPVS refused -D -t 192.0.2.1:80: not permitted'])
  })

  it('tells a table that cannot be reached and does not throw', async () => {
    const table = createMemoryTable()
    table.apply = () => Promise.reject(new TableError('ENOENT', 'this kernel has no IPVS'))
    assert.deepEqual(await stop(table), ['Can not read the IPVS table: this kernel has no IPVS'])
  })
})
