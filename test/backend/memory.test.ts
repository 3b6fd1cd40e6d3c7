import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import { tableBackendContract } from '../contract/table-backend.ts'
import { address, entry, never, observed, service, settings } from '../table/fixtures.ts'

describe('The table in memory', () => {
  tableBackendContract({ open: async () => createMemoryTable() })

  const id = address('192.0.2.10:5060', 'udp')

  it('keeps the engine that others gave a service over an edit', async () => {
    const table = createMemoryTable()
    table.seed(observed(service(id, ['192.0.2.20:5060']), 'sip'))
    await table.apply([{ kind: 'edit-service', id, settings: settings({ scheduler: 'rr' }) }], never)
    const after = table.services().get(serviceKeyOf(id))
    assert.deepEqual([after?.engine, after?.scheduler, after?.destinations.size], ['sip', 'rr', 1])
  })
  it('keeps the connections of an entry that is edited', async () => {
    const table = createMemoryTable()
    const seeded = observed(service(id, ['192.0.2.20:5060']))
    const destinations = new Map([...seeded.destinations].map(([key, d]) => [key, { ...d, activeConnections: 7 }]))
    table.seed({ ...seeded, destinations })
    await table.apply([{ kind: 'edit-destination', id, destination: entry('192.0.2.20:5060 3') }], never)
    const [found] = table.services().get(serviceKeyOf(id))?.destinations.values() ?? []
    assert.deepEqual([found?.weight, found?.activeConnections], [3, 7])
  })
  it('refuses the schedulers that it was told not to have', async () => {
    const table = createMemoryTable(['rr'])
    const outcomes = await table.apply([{ kind: 'add-service', id, settings: settings({ scheduler: 'mh' }) }], never)
    assert.deepEqual(
      outcomes.map((o) => (o.ok ? 'ok' : o.error.message)),
      ['no scheduler "mh": modprobe ip_vs_mh, or the name is wrong (ENOENT)'],
    )
  })
})
