import assert from 'node:assert/strict'
import { type ServiceId, type ServiceKey, serviceKeyOf } from '../../src/model/service.ts'
import type { Destination, ServiceSettings } from '../../src/model/table.ts'
import type { ObservedTable, Operation, Outcome, TableBackend } from '../../src/table/operation.ts'
import { address, entry, mark, never, observed, service, settings } from '../table/fixtures.ts'

export interface Subject {
  /** A backend over an empty table. */
  open(): Promise<TableBackend>
}

const web = address('192.0.2.10:80')
const web6 = address('[2001:db8::10]:80')

const addService = (id: ServiceId, parts: Partial<ServiceSettings> = {}): Operation => ({
  kind: 'add-service',
  id,
  settings: settings(parts),
})
const editService = (id: ServiceId, parts: Partial<ServiceSettings> = {}): Operation => ({
  kind: 'edit-service',
  id,
  settings: settings(parts),
})
const add = (id: ServiceId, text: string): Operation => ({ kind: 'add-destination', id, destination: entry(text) })
const edit = (id: ServiceId, text: string): Operation => ({ kind: 'edit-destination', id, destination: entry(text) })
const remove = (id: ServiceId, text: string): Operation => ({
  kind: 'delete-destination',
  id,
  destination: entry(text),
})
const removeService = (id: ServiceId): Operation => ({ kind: 'delete-service', id })

const codes = (outcomes: readonly Outcome[]): string[] => outcomes.map((o) => (o.ok ? 'ok' : o.error.code))

/** Every kind of virtual service, and one other form that an edit gives it. */
const serviceForms: readonly [string, ServiceId, Partial<ServiceSettings>, Partial<ServiceSettings>][] = [
  ['tcp', web, {}, { scheduler: 'rr' }],
  ['udp', address('192.0.2.10:53', 'udp'), {}, { scheduler: 'lc' }],
  ['sctp', address('192.0.2.10:2905', 'sctp'), {}, { scheduler: 'rr' }],
  ['tcp over IPv6', web6, {}, { scheduler: 'rr' }],
  ['udp over IPv6', address('[2001:db8::10]:53', 'udp'), {}, { onePacket: true }],
  ['a firewall mark', mark(5), {}, { scheduler: 'rr' }],
  ['a firewall mark of IPv6', mark(5, 6), {}, { scheduler: 'rr' }],
  ['a firewall mark above 2147483647', mark(4000000000), {}, { scheduler: 'rr' }],
  ['one-packet scheduling', address('192.0.2.10:53', 'udp'), { onePacket: true }, {}],
  [
    'persistence per port',
    web,
    { persistence: { timeoutSeconds: 600, netmask: '255.255.255.255' } },
    { persistence: { timeoutSeconds: 60, netmask: '255.255.255.0' } },
  ],
  [
    'persistence per client, port 0',
    address('192.0.2.10:0'),
    { persistence: { timeoutSeconds: 360, netmask: '255.255.255.255' } },
    { persistence: { timeoutSeconds: 360, netmask: '255.255.0.0' } },
  ],
  ['persistence per mark', mark(7), { persistence: { timeoutSeconds: 300, netmask: '255.255.255.0' } }, {}],
  [
    'persistence over IPv6',
    web6,
    { persistence: { timeoutSeconds: 300, netmask: '128' } },
    { persistence: { timeoutSeconds: 2678400, netmask: '64' } },
  ],
  ['scheduler flags', web, { scheduler: 'sh', schedulerFlags: 0x18 }, { scheduler: 'mh', schedulerFlags: 0x08 }],
  ['all three scheduler flags', web, { scheduler: 'rr', schedulerFlags: 0x38 }, { schedulerFlags: 0x20 }],
]

const schedulers = 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh none'.split(' ')

/** Every kind of entry, and what an edit makes of it. */
const entryForms: readonly [string, ServiceId, string, string][] = [
  ['masq with its own port', web, '192.0.2.20:8080 masq 3', '192.0.2.20:8080 masq 0'],
  ['gate', web, '192.0.2.21:80 gate 1', '192.0.2.21:80 masq 2'],
  ['ipip', web, '192.0.2.22:80 ipip 5', '192.0.2.22:80 gate 5'],
  ['thresholds', web, '192.0.2.23:80 masq 1 x100 y50', '192.0.2.23:80 masq 1'],
  ['an upper threshold only', web, '192.0.2.23:80 masq 1 x100', '192.0.2.23:80 masq 1 x4294967295 y4294967295'],
  ['weight 0', web, '192.0.2.24:80 gate 0', '192.0.2.24:80 gate 65535'],
  ['the largest weight', web, '192.0.2.24:80 masq 2147483647', '192.0.2.24:80 masq 1'],
  ['the director itself', web, '127.0.0.1:80 gate 1', '127.0.0.1:80 masq 1'],
  ['a mark, port 0', mark(5), '192.0.2.20:0 gate 1', '192.0.2.20:0 masq 1'],
  ['a mark, with a port', mark(5), '192.0.2.20:8080 masq 1', '192.0.2.20:8080 masq 7'],
  ['IPv6 masq', web6, '[2001:db8::20]:8080 masq 1', '[2001:db8::20]:8080 masq 9'],
  ['IPv6 gate', web6, '[2001:db8::20]:80 gate 1', '[2001:db8::20]:80 ipip 1'],
  ['an IPv6 mark', mark(5, 6), '[2001:db8::20]:0 gate 1', '[2001:db8::20]:0 masq 1'],
  ['an IPv6 tunnel for an IPv4 service', web, '[2001:db8::20]:80 ipip 1', '[2001:db8::20]:80 ipip 2'],
]

/** What is refused, with what stood before. */
const refusals: readonly [string, readonly Operation[], Operation, string][] = [
  ['a service that is there', [addService(web)], addService(web), 'EEXIST'],
  ['an edit of a service that is not there', [], editService(web), 'ESRCH'],
  ['a delete of a service that is not there', [], removeService(web), 'ESRCH'],
  ['an unknown scheduler', [], addService(web, { scheduler: 'nonesuch' }), 'ENOENT'],
  ['an edit to an unknown scheduler', [addService(web)], editService(web, { scheduler: 'nonesuch' }), 'ENOENT'],
  ['a destination of no service', [], add(web, '192.0.2.20:80'), 'ESRCH'],
  ['an edit in no service', [], edit(web, '192.0.2.20:80'), 'ESRCH'],
  ['a delete in no service', [], remove(web, '192.0.2.20:80'), 'ESRCH'],
  [
    'a destination that is there',
    [addService(web), add(web, '192.0.2.20:80 1')],
    add(web, '192.0.2.20:80 2'),
    'EEXIST',
  ],
  ['an edit of a destination that is not there', [addService(web)], edit(web, '192.0.2.20:80'), 'ENOENT'],
  ['a delete of a destination that is not there', [addService(web)], remove(web, '192.0.2.20:80'), 'ENOENT'],
  ['a multicast destination', [addService(web)], add(web, '224.0.0.9:80'), 'EINVAL'],
  ['a broadcast destination', [addService(web)], add(web, '255.255.255.255:80'), 'EINVAL'],
  ['no address', [addService(web)], add(web, '0.0.0.0:80'), 'EINVAL'],
  ['no IPv6 address', [addService(web6)], add(web6, '[::]:80'), 'EINVAL'],
  ['an IPv6 link-local destination', [addService(web6)], add(web6, '[fe80::1]:80'), 'EINVAL'],
  ['an IPv6 multicast destination', [addService(web6)], add(web6, '[ff02::1]:80'), 'EINVAL'],
  ['another family without a tunnel', [addService(web)], add(web, '[2001:db8::20]:80 masq'), 'EINVAL'],
  ['a lower threshold above the upper', [addService(web)], add(web, '192.0.2.20:80 x5 y6'), 'ERANGE'],
  ['a lower threshold without an upper', [addService(web)], add(web, '192.0.2.20:80 y6'), 'ERANGE'],
  ['a weight that is too large', [addService(web)], add(web, '192.0.2.20:80 2147483648'), 'ERANGE'],
  ['port 0 without persistence', [], addService(address('192.0.2.10:0')), 'EINVAL'],
  ['mark 0', [], addService(mark(0)), 'EINVAL'],
  ['one-packet scheduling for tcp', [], addService(web, { onePacket: true }), 'EINVAL'],
  ['a scheduler without a name', [], addService(web, { scheduler: '' }), 'EINVAL'],
  [
    'persistence for no time',
    [],
    addService(web, { persistence: { timeoutSeconds: 0, netmask: '255.255.255.255' } }),
    'EINVAL',
  ],
  [
    'persistence for longer than 31 days',
    [],
    addService(web, { persistence: { timeoutSeconds: 2678401, netmask: '255.255.255.255' } }),
    'EINVAL',
  ],
  ['an empty netmask', [], addService(web, { persistence: { timeoutSeconds: 1, netmask: '0.0.0.0' } }), 'EINVAL'],
  ['a prefix of 129', [], addService(web6, { persistence: { timeoutSeconds: 1, netmask: '129' } }), 'EINVAL'],
  ['gate with another port', [addService(web)], add(web, '192.0.2.20:81 gate'), 'EINVAL'],
]

/** What every table must do: the port's contract, told by the kernel's behaviour. */
export function tableBackendContract(subject: Subject): void {
  let backend: TableBackend
  beforeEach(async () => {
    backend = await subject.open()
  })
  afterEach(async () => {
    await backend.close()
  })
  const apply = async (...plan: Operation[]): Promise<string[]> => codes(await backend.apply(plan, never))
  const read = (...ids: ServiceId[]): Promise<ObservedTable> =>
    backend.read(new Set(ids.map((id) => serviceKeyOf(id))), never)
  const table = (...services: ReturnType<typeof service>[]): ObservedTable => ({
    services: new Map(services.map((one) => [serviceKeyOf(one.id), observed(one)])),
    keys: new Set(services.map((one) => serviceKeyOf(one.id))),
  })
  const sorted = ({ services, keys }: ObservedTable): unknown => ({
    services: [...services].map(([key, one]) => [key, { ...one, destinations: [...one.destinations].sort() }]).sort(),
    keys: [...keys].sort(),
  })
  const same = (actual: ObservedTable, expected: ObservedTable): void =>
    assert.deepEqual(sorted(actual), sorted(expected))

  it('begins empty', async () => {
    same(await read(web), table())
  })
  for (const [name, id, before, after] of serviceForms) {
    it(`adds, reads back, edits and deletes a service: ${name}`, async () => {
      assert.deepEqual(await apply(addService(id, before)), ['ok'])
      same(await read(id), table(service(id, [], before)))
      assert.deepEqual(await apply(editService(id, after)), ['ok'])
      same(await read(id), table(service(id, [], after)))
      assert.deepEqual(await apply(removeService(id)), ['ok'])
      same(await read(id), table())
    })
  }
  for (const scheduler of schedulers) {
    it(`takes the scheduler ${scheduler}`, async () => {
      assert.deepEqual(await apply(addService(web, { scheduler }), add(web, '192.0.2.20:80 2')), ['ok', 'ok'])
      same(await read(web), table(service(web, ['192.0.2.20:80 2'], { scheduler })))
    })
  }
  for (const [name, id, before, after] of entryForms) {
    it(`adds, reads back, edits and deletes a destination: ${name}`, async () => {
      assert.deepEqual(await apply(addService(id), add(id, before)), ['ok', 'ok'])
      same(await read(id), table(service(id, [before])))
      assert.deepEqual(await apply(edit(id, after)), ['ok'])
      same(await read(id), table(service(id, [after])))
      assert.deepEqual(await apply(remove(id, after)), ['ok'])
      same(await read(id), table(service(id, [])))
    })
  }
  for (const [name, before, operation, code] of refusals) {
    it(`refuses ${name} with ${code}, and changes nothing`, async () => {
      await apply(...before)
      const ids = [web, web6]
      const was = await read(...ids)
      const [outcome] = await backend.apply([operation], never)
      assert.ok(outcome !== undefined && !outcome.ok)
      assert.equal(outcome.error.code, code)
      assert.equal(outcome.operation, operation)
      assert.match(outcome.error.message, new RegExp(`^[^\\n]{15,} \\(${code}\\)$`))
      same(await read(...ids), was)
    })
  }
  it('keeps the destinations of a service that is edited, and counts them as untouched', async () => {
    await apply(addService(web), add(web, '192.0.2.20:80 3'), add(web, '192.0.2.21:8080 masq 1 x10 y5'))
    assert.deepEqual(await apply(editService(web, { scheduler: 'sh', schedulerFlags: 0x10 })), ['ok'])
    const entries = ['192.0.2.20:80 3', '192.0.2.21:8080 masq 1 x10 y5']
    same(await read(web), table(service(web, entries, { scheduler: 'sh', schedulerFlags: 0x10 })))
  })
  it('takes the destinations away with their service, which can come again with another scheduler', async () => {
    await apply(addService(web, { scheduler: 'rr' }), add(web, '192.0.2.20:80'))
    assert.deepEqual(await apply(removeService(web), addService(web, { scheduler: 'mh' })), ['ok', 'ok'])
    same(await read(web), table(service(web, [], { scheduler: 'mh' })))
  })
  it('keeps services of the same address apart by protocol, port and family of the mark', async () => {
    const ids = [web, address('192.0.2.10:80', 'udp'), address('192.0.2.10:81'), mark(5), mark(5, 6), mark(6)]
    const entries = ids.map((id, index) => (id.family === 6 ? `[2001:db8::2${index}]:80` : `192.0.2.2${index}:80`))
    for (const [index, id] of ids.entries()) await apply(addService(id), add(id, entries[index] ?? ''))
    same(await read(...ids), table(...ids.map((id, index) => service(id, [entries[index] ?? '']))))
  })
  it("names others' services by their key alone and leaves them as they are", async () => {
    const others = [mark(9), address('192.0.2.99:443')]
    for (const id of others) await apply(addService(id, { scheduler: 'rr' }), add(id, '192.0.2.77:443 masq 7'))
    await apply(addService(web), add(web, '192.0.2.20:80'), edit(web, '192.0.2.20:80 5'), removeService(web))
    const seen = await read(web)
    assert.deepEqual([...seen.services.keys()], [])
    assert.deepEqual([...seen.keys].sort(), ['fwm:9', 'tcp:192.0.2.99:443'] as ServiceKey[])
    same(
      await read(...others),
      table(...others.map((id) => service(id, ['192.0.2.77:443 masq 7'], { scheduler: 'rr' }))),
    )
  })
  it('goes on after a refusal in the middle, and tells which it was', async () => {
    const plan = [
      addService(web),
      add(web, '192.0.2.20:80 1'),
      add(web, '224.0.0.1:80 1'),
      add(web, '192.0.2.20:80 2'),
      add(web, '192.0.2.21:80 x1 y2'),
      edit(web, '192.0.2.29:80 1'),
      add(web, '192.0.2.21:80 4'),
      addService(web6, { scheduler: 'nonesuch' }),
      add(web6, '[2001:db8::20]:80'),
      edit(web, '192.0.2.20:80 3'),
    ]
    const expected = ['ok', 'ok', 'EINVAL', 'EEXIST', 'ERANGE', 'ENOENT', 'ok', 'ENOENT', 'ESRCH', 'ok']
    assert.deepEqual(await apply(...plan), expected)
    same(await read(web, web6), table(service(web, ['192.0.2.20:80 3', '192.0.2.21:80 4'])))
  })
  it('tells the last of many when it is refused, and the first', async () => {
    assert.deepEqual(await apply(edit(web, '192.0.2.1:80'), addService(web), addService(web)), [
      'ESRCH',
      'ok',
      'EEXIST',
    ])
  })
  it('takes a thousand destinations at once, edits and deletes them', async () => {
    const texts = Array.from({ length: 1000 }, (_, index) => `198.51.100.${1 + (index % 200)}:${8000 + index}`)
    assert.deepEqual(new Set(await apply(addService(web), ...texts.map((text) => add(web, text)))), new Set(['ok']))
    same(await read(web), table(service(web, texts)))
    assert.deepEqual(new Set(await apply(...texts.map((text) => edit(web, `${text} 9`)))), new Set(['ok']))
    same(
      await read(web),
      table(
        service(
          web,
          texts.map((text) => `${text} 9`),
        ),
      ),
    )
    assert.deepEqual(new Set(await apply(...texts.map((text) => remove(web, text)))), new Set(['ok']))
    same(await read(web), table(service(web, [])))
  })
  it('lives through a thousand refusals', async () => {
    const plan = Array.from({ length: 1000 }, (_, index) => add(web, `192.0.2.20:${1 + index}`))
    assert.deepEqual(await apply(...plan), Array(1000).fill('ESRCH'))
    same(await read(web), table())
  })
  it('answers reads and plans that are asked for at once, each on its own', async () => {
    await apply(addService(web))
    const work = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? apply(add(web, `192.0.2.20:${8000 + index}`)) : read(web).then(() => ['read']),
    )
    const answers = await Promise.all(work)
    assert.deepEqual(
      answers,
      work.map((_, index) => [index % 2 === 0 ? 'ok' : 'read']),
    )
    assert.equal((await read(web)).services.get(serviceKeyOf(web))?.destinations.size, 10)
  })
  it('does nothing for an empty plan', async () => {
    assert.deepEqual(await apply(), [])
  })
  it('rejects a read that is cancelled, and goes on serving', async () => {
    await assert.rejects(backend.read(new Set(), AbortSignal.abort()), { name: 'TableError', code: 'ECANCELED' })
    same(await read(web), table())
  })
  it('reports the destination that was written, not an alias of it', async () => {
    const destination: Destination = { ...entry('192.0.2.20:80 1') }
    await backend.apply([addService(web), { kind: 'add-destination', id: web, destination }], never)
    Object.assign(destination, { weight: 99 })
    same(await read(web), table(service(web, ['192.0.2.20:80 1'])))
  })
}
