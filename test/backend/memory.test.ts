import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import type { Connection, ConnectionQuery } from '../../src/table/details.ts'
import { tableBackendContract } from '../contract/table-backend.ts'
import { tableDetailsContract } from '../contract/table-details.ts'
import { address, entry, never, observed, service, settings } from '../table/fixtures.ts'

describe('The table in memory', () => {
  tableBackendContract({ open: async () => createMemoryTable() })
  tableDetailsContract({ open: async () => createMemoryTable() })

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
  it('tells the counters and connections that were put in, of the service and of each destination', async () => {
    const table = createMemoryTable()
    table.seed(observed(service(id, ['192.0.2.20:5060', '192.0.2.21:5060'])))
    table.count(id, undefined, { totals: { connections: 3 }, rates: { inBytes: 7 } })
    table.count(id, entry('192.0.2.20:5060'), { totals: { connections: 3 }, persistentConnections: 2 })
    const told = (await table.details(never)).get(serviceKeyOf(id)) ?? assert.fail('no service')
    assert.deepEqual([told.totals.connections, told.rates.inBytes, told.totals.inBytes], [3, 7, 0])
    assert.deepEqual(
      [...told.destinations.values()].map((d) => [d.address, d.totals.connections, d.persistentConnections]),
      [
        ['192.0.2.20', 3, 2],
        ['192.0.2.21', 0, 0],
      ],
    )
  })
  it('gives as many connections as were asked for, and of those that were', async () => {
    const table = createMemoryTable()
    for (const port of [1, 2, 3, 4]) table.connect(connection(port))
    const ports = async (query: ConnectionQuery): Promise<unknown> => {
      const { connections, isCut } = await table.connections(query, never)
      return [connections.map(({ client }) => client.port), isCut]
    }
    assert.deepEqual(await ports({ limit: 4 }), [[1, 2, 3, 4], false])
    assert.deepEqual(await ports({ limit: 3 }), [[1, 2, 3], true])
    assert.deepEqual(await ports({ limit: 2, accepts: ({ client }) => client.port > 2 }), [[3, 4], false])
    assert.deepEqual(await ports({ limit: 0 }), [[], true])
  })
})

const connection = (port: number): Connection => ({
  protocol: 'udp',
  family: 4,
  client: { address: '198.51.100.1', port },
  virtual: { address: '192.0.2.10', port: 5060 },
  destination: { address: '192.0.2.20', port: 5060 },
  state: 'UDP',
  expiresMs: 300_000,
  engine: undefined,
})
