import assert from 'node:assert/strict'
import type { ConnectionTimeouts } from '../../src/model/timeouts.ts'
import type { IpvsTable, ServiceDetails, Traffic } from '../../src/table/details.ts'
import type { Operation } from '../../src/table/operation.ts'
import { address, mark, never, observed, service } from '../table/fixtures.ts'

export interface Subject {
  /** A table without a service, with the time-outs that a kernel begins with. */
  open(): Promise<IpvsTable>
}

const none: Traffic = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 }

const hosts = (timeoutSeconds: number, netmask: string): ReturnType<typeof service>['persistence'] => ({
  timeoutSeconds,
  netmask,
})

const services = [
  service(address('192.0.2.10:80'), [
    '192.0.2.20:8080 masq 3 x100 y50',
    '192.0.2.21:80 gate 0',
    '192.0.2.22:80 ipip 5',
  ]),
  service(address('192.0.2.10:53', 'udp'), [], { scheduler: 'rr', onePacket: true }),
  service(address('[2001:db8::10]:80'), ['[2001:db8::21]:80 gate 1'], { scheduler: 'sh', schedulerFlags: 0x18 }),
  service(mark(5), ['192.0.2.20:0 masq 1'], { persistence: hosts(300, '255.255.255.0') }),
  service(mark(4000000000, 6), ['[2001:db8::20]:0 gate 1'], { persistence: hosts(60, '64') }),
]

const addsOf = ({ id, destinations, ...settings }: (typeof services)[number]): Operation[] => [
  { kind: 'add-service', id, settings },
  ...[...destinations.values()].map((destination): Operation => ({ kind: 'add-destination', id, destination })),
]

/** As every table tells what nothing has passed through yet. */
function untouched(of: (typeof services)[number]): ServiceDetails {
  const { destinations, ...rest } = observed(of)
  const counted = { totals: none, rates: none }
  const detailed = [...destinations].map(
    ([key, one]) => [key, { ...one, ...counted, persistentConnections: 0, tunnel: undefined }] as const,
  )
  return { ...rest, ...counted, destinations: new Map(detailed) }
}

const sorted = (all: Iterable<ServiceDetails>): unknown =>
  [...all]
    .map((one) => ({ ...one, destinations: [...one.destinations].sort() }))
    .sort((a, b) => (JSON.stringify(a.id) < JSON.stringify(b.id) ? -1 : 1))

/** What every table tells beside its services. */
export function tableDetailsContract(subject: Subject): void {
  let table: IpvsTable
  beforeEach(async () => {
    table = await subject.open()
  })
  afterEach(async () => {
    await table.close()
  })

  it('tells nothing of an empty table', async () => {
    assert.deepEqual([...(await table.details(never))], [])
    assert.deepEqual(await table.connections({ limit: 10 }, never), { connections: [], isCut: false })
  })
  it('tells every service and destination whole, with counters at nought', async () => {
    const outcomes = await table.apply(services.flatMap(addsOf), never)
    assert.deepEqual(
      outcomes.filter((outcome) => !outcome.ok),
      [],
    )
    const details = await table.details(never)
    assert.deepEqual(sorted(details.values()), sorted(services.map(untouched)))
    assert.deepEqual([...details.keys()].sort(), [
      'fwm6:4000000000',
      'fwm:5',
      'tcp:192.0.2.10:80',
      'tcp:[2001:db8::10]:80',
      'udp:192.0.2.10:53',
    ])
  })
  it('tells the time-outs and sets them; 0 leaves one as it is', async () => {
    const steps: readonly [ConnectionTimeouts | undefined, ConnectionTimeouts][] = [
      [undefined, { tcp: 900, tcpFin: 120, udp: 300 }],
      [
        { tcp: 7200, tcpFin: 60, udp: 30 },
        { tcp: 7200, tcpFin: 60, udp: 30 },
      ],
      [
        { tcp: 0, tcpFin: 61, udp: 0 },
        { tcp: 7200, tcpFin: 61, udp: 30 },
      ],
      [
        { tcp: 0, tcpFin: 0, udp: 0 },
        { tcp: 7200, tcpFin: 61, udp: 30 },
      ],
      [
        { tcp: 2678400, tcpFin: 1, udp: 2678400 },
        { tcp: 2678400, tcpFin: 1, udp: 2678400 },
      ],
    ]
    for (const [wanted, expected] of steps) {
      if (wanted !== undefined) await table.setTimeouts(wanted, never)
      assert.deepEqual(await table.timeouts(never), expected)
    }
  })
  for (const wrong of [-1, 1.5, Number.NaN, 2678401]) {
    it(`refuses ${wrong} as a time-out, and changes none`, async () => {
      await assert.rejects(table.setTimeouts({ tcp: 60, tcpFin: wrong, udp: 60 }, never), {
        name: 'TableError',
        code: 'EINVAL',
        message: 'a time-out is from 0 to 2678400 seconds (EINVAL)',
      })
      assert.deepEqual(await table.timeouts(never), { tcp: 900, tcpFin: 120, udp: 300 })
    })
  }
  it('tells its version and the size of its connection table', async () => {
    const { version, connectionTableSize } = await table.info(never)
    assert.match(version, /^\d+\.\d+\.\d+$/)
    assert.ok(connectionTableSize >= 256, String(connectionTableSize))
  })
  it('rejects what is cancelled before it began, and goes on serving', async () => {
    const aborted = AbortSignal.abort()
    const cancelled = { name: 'TableError', code: 'ECANCELED' }
    await assert.rejects(table.details(aborted), cancelled)
    await assert.rejects(table.timeouts(aborted), cancelled)
    await assert.rejects(table.setTimeouts({ tcp: 1, tcpFin: 1, udp: 1 }, aborted), cancelled)
    await assert.rejects(table.connections({ limit: 1 }, aborted), cancelled)
    await assert.rejects(table.info(aborted), cancelled)
    assert.deepEqual(await table.timeouts(never), { tcp: 900, tcpFin: 120, udp: 300 })
  })
  it('answers all kinds of questions that are asked at once', async () => {
    await table.apply(services.flatMap(addsOf), never)
    const [details, timeouts, connections, read] = await Promise.all([
      table.details(never),
      table.timeouts(never),
      table.connections({ limit: 1 }, never),
      table.read(new Set(), never),
      table.info(never),
    ])
    assert.deepEqual([details.size, timeouts.tcp, connections.connections.length, read.keys.size], [5, 900, 0, 5])
  })
}
