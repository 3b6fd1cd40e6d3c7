import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { openKernelTable } from '../../src/backend/netlink/adapter.ts'
import { type ServiceKey, serviceKeyOf } from '../../src/model/service.ts'
import type { VirtualService } from '../../src/model/table.ts'
import { applyInOrder } from '../../src/table/apply.ts'
import { diff } from '../../src/table/diff.ts'
import { formatListing } from '../../src/table/listing.ts'
import { formatOperation, formatSaved } from '../../src/table/notation.ts'
import type { ObservedTable, Operation, TableBackend } from '../../src/table/operation.ts'
import { emptyApplied } from '../../src/table/plan.ts'
import { address, entry, keyed, mark, never, service, settings } from '../table/fixtures.ts'
import { seeded } from '../table/random.ts'
import { randomTable } from '../table/random-tables.ts'

const ipvsadm = (...args: string[]): string => execFileSync('ipvsadm', args, { encoding: 'utf8' })
const restore = (lines: readonly string[]): void => {
  execFileSync('ipvsadm', ['-R'], { input: `${lines.join('\n')}\n` })
}
const hosts = (timeoutSeconds: number, netmask = '255.255.255.255'): VirtualService['persistence'] => ({
  timeoutSeconds,
  netmask,
})

/** Each feature that ldirectord.cf has, in one table. */
const everything = [
  service(address('192.0.2.10:80'), ['192.0.2.20:8080 masq 3', '192.0.2.21:80 gate 0', '192.0.2.22:80 ipip 65535'], {
    scheduler: 'rr',
  }),
  service(address('192.0.2.10:0'), ['192.0.2.21:0 masq 1'], {
    scheduler: 'mh',
    schedulerFlags: 0x18,
    persistence: hosts(360),
  }),
  service(address('192.0.2.10:443'), ['192.0.2.20:443 gate 1'], { persistence: hosts(600, '255.255.255.0') }),
  service(address('192.0.2.10:53', 'udp'), ['192.0.2.20:53 masq 1'], { scheduler: 'wlc', onePacket: true }),
  service(address('192.0.2.11:21', 'sctp'), [], { scheduler: 'lc', schedulerFlags: 0x20 }),
  service(address('[2001:db8::10]:80'), ['[2001:db8::21]:80 gate 1', '[2001:db8::22]:8080 masq 2'], {
    scheduler: 'sh',
    schedulerFlags: 0x10,
  }),
  service(mark(5), ['192.0.2.21:0 gate 2', '192.0.2.22:0 gate 1'], { persistence: hosts(300, '255.255.255.0') }),
  service(mark(5, 6), ['[2001:db8::21]:0 masq 1'], { persistence: hosts(300, '64') }),
  service(mark(6), [], { scheduler: 'none' }),
]

const addsOf = ({ id, destinations, ...rest }: VirtualService): Operation[] => [
  { kind: 'add-service', id, settings: rest },
  ...[...destinations.values()].map((destination): Operation => ({ kind: 'add-destination', id, destination })),
]

describe('The real IPVS, seen through ipvsadm', () => {
  let table: TableBackend
  beforeEach(async () => {
    ipvsadm('-C')
    table = await openKernelTable()
  })
  afterEach(() => table.close())
  after(() => ipvsadm('-C'))

  const readAll = async (services: readonly VirtualService[]): Promise<ObservedTable> =>
    await table.read(new Set(services.map(({ id }) => serviceKeyOf(id))), never)
  const apply = async (plan: readonly Operation[]): Promise<void> => {
    const outcomes = await table.apply(plan, never)
    assert.deepEqual(
      outcomes.filter((outcome) => !outcome.ok),
      [],
    )
  }

  it('prints what we wrote as we print it, to the byte', async () => {
    await apply(everything.flatMap(addsOf))
    assert.equal(formatSaved(everything), ipvsadm('-S', '-n'))
  })
  it('lists it as we list it, to the byte', async () => {
    await apply(everything.flatMap(addsOf))
    const [, ...listed] = ipvsadm('-L', '-n').split('\n')
    assert.equal(formatListing((await readAll(everything)).services.values()), listed.join('\n'))
  })
  it('takes our operations as lines of ipvsadm -R, and comes to the same table', async () => {
    const changes: Operation[] = [
      { kind: 'edit-service', id: mark(5, 6), settings: settings({ scheduler: 'rr', schedulerFlags: 0x38 }) },
      { kind: 'edit-destination', id: mark(5), destination: entry('192.0.2.21:0 masq 9 x10 y5') },
      { kind: 'delete-destination', id: mark(5), destination: entry('192.0.2.22:0') },
      { kind: 'delete-service', id: address('192.0.2.11:21', 'sctp') },
      { kind: 'edit-destination', id: address('[2001:db8::10]:80'), destination: entry('[2001:db8::21]:80 ipip 4') },
    ]
    const plan = [...everything.flatMap(addsOf), ...changes]
    await apply(plan)
    const ours = { saved: ipvsadm('-S', '-n'), thresholds: ipvsadm('-L', '-n', '--thresholds') }
    ipvsadm('-C')
    restore(plan.map(formatOperation))
    assert.deepEqual({ saved: ipvsadm('-S', '-n'), thresholds: ipvsadm('-L', '-n', '--thresholds') }, ours)
  })
  it('gives back what ipvsadm wrote', async () => {
    restore(everything.flatMap(addsOf).map(formatOperation))
    const seen = await readAll(everything)
    assert.equal(formatSaved(seen.services.values()), ipvsadm('-S', '-n'))
    assert.equal(seen.keys.size, everything.length)
  })
  it('keeps the persistence engine of a service that we edit', async () => {
    const id = address('192.0.2.12:5060', 'udp')
    restore(['-A -u 192.0.2.12:5060 -s lc -p 60 --pe sip', '-a -u 192.0.2.12:5060 -r 192.0.2.20:5060 -m'])
    await apply([{ kind: 'edit-service', id, settings: settings({ scheduler: 'rr', persistence: hosts(90) }) }])
    assert.equal(
      ipvsadm('-S', '-n'),
      '-A -u 192.0.2.12:5060 -s rr -p 90 --pe sip\n-a -u 192.0.2.12:5060 -r 192.0.2.20:5060 -m -w 1\n',
    )
  })
  it('shows tunnels that we cannot say as such, and an edit makes them ours', async () => {
    const id = mark(5)
    restore([
      '-A -f 5 -s rr',
      '-a -f 5 -r 192.0.2.20:0 -i --tun-type gue --tun-port 6080',
      '-a -f 5 -r 192.0.2.21:0 -i --tun-type gre',
    ])
    const wanted = service(id, ['192.0.2.20:0 ipip 1', '192.0.2.21:0 ipip 1'], { scheduler: 'rr' })
    const seen = await readAll([wanted])
    const methods = [...(seen.services.get(serviceKeyOf(id))?.destinations.values() ?? [])].map((d) => d.forwarding)
    assert.deepEqual(methods, ['unknown', 'unknown'])
    await reach([wanted])
    assert.equal(formatSaved([wanted]), ipvsadm('-S', '-n'))
  })

  const reach = async (wanted: readonly VirtualService[]): Promise<ReturnType<typeof diff>> => {
    const plan = await planTo(wanted)
    const outcomes = await applyInOrder(table, plan, never)
    assert.deepEqual(
      outcomes.filter((outcome) => !outcome.ok),
      [],
    )
    return await planTo(wanted)
  }
  const planTo = async (wanted: readonly VirtualService[]): Promise<ReturnType<typeof diff>> =>
    diff({
      actual: await readAll(wanted),
      desired: { table: keyed(wanted), roles: new Map(), absent: new Map() },
      applied: emptyApplied,
      mode: 'full',
      policy: { drift: 'report', readdQuiescent: false },
    })

  it('becomes any table that is desired, from any other, and then there is nothing to do', async () => {
    const ours = new Set<ServiceKey>()
    for (let seed = 1; seed <= 60; seed += 1) {
      const wanted = randomTable(seeded(seed))
      const again = await reach(wanted)
      assert.deepEqual([again.steps, again.drift], [[], []], `seed ${seed}`)
      const keys = wanted.map(({ id }) => serviceKeyOf(id))
      const left = [...ours].filter((key) => !keys.includes(key))
      for (const key of keys) ours.add(key)
      const seen = await table.read(ours, never)
      const current = [...seen.services].filter(([key]) => !left.includes(key)).map(([, one]) => one)
      assert.equal(formatSaved(current), formatSaved(wanted), `seed ${seed}`)
    }
  })
  it('takes ten thousand destinations and gives them back', async () => {
    const wide = Array.from({ length: 10 }, (_, index) => {
      const entries = Array.from({ length: 1000 }, (__, at) => `198.51.100.${1 + (at % 200)}:${8000 + at} masq 1`)
      return service(address(`192.0.2.10:${8000 + index}`), entries, { scheduler: 'rr' })
    })
    const again = await reach(wide)
    assert.deepEqual([again.steps, again.drift], [[], []])
    assert.equal(ipvsadm('-S', '-n').trimEnd().split('\n').length, 10_010)
  }).timeout(60_000)
})

describe('A kernel that refuses', () => {
  const hook = '/proc/sys/kernel/modprobe'
  const unload = (): void => {
    const loaded = readFileSync('/proc/modules', 'utf8').match(/^ip_vs\w*/gm) ?? []
    execFileSync('rmmod', [...loaded.filter((name) => name !== 'ip_vs'), 'ip_vs'])
  }

  it('is asked for its family anew when the module was loaded again', async () => {
    const table = await openKernelTable()
    const plan: Operation[] = [{ kind: 'add-service', id: mark(5), settings: settings() }]
    assert.equal((await table.apply(plan, never))[0]?.ok, true)
    ipvsadm('-C')
    unload()
    assert.equal((await table.read(new Set(), never)).keys.size, 0)
    assert.equal((await table.apply(plan, never))[0]?.ok, true)
    assert.deepEqual([...(await table.read(new Set(), never)).keys], ['fwm:5'])
    ipvsadm('-C')
    await table.close()
  })
  it('says what to load when it has no IPVS, and no scheduler', async () => {
    ipvsadm('-C')
    unload()
    const before = readFileSync(hook, 'utf8')
    const table = await openKernelTable()
    try {
      writeFileSync(hook, '/bin/false')
      await assert.rejects(table.read(new Set(), never), {
        name: 'TableError',
        code: 'ENOENT',
        message: /modprobe ip_vs/,
      })
      writeFileSync(hook, before)
      await table.read(new Set(), never)
      writeFileSync(hook, '/bin/false')
      const plan: Operation[] = [{ kind: 'add-service', id: mark(5), settings: settings({ scheduler: 'sed' }) }]
      const [outcome] = await table.apply(plan, never)
      assert.ok(outcome?.ok === false)
      assert.equal(outcome.error.message, 'no scheduler "sed": modprobe ip_vs_sed, or the name is wrong (ENOENT)')
    } finally {
      writeFileSync(hook, before)
      await table.close()
    }
  })
  it('says that it is not permitted without CAP_NET_ADMIN, root or not', async () => {
    const table = await openKernelTable()
    await table.read(new Set(), never)
    await table.close()
    const adapter = new URL('../../src/backend/netlink/adapter.js', import.meta.url).href
    const script = `
      const { openKernelTable } = await import(${JSON.stringify(adapter)})
      const table = await openKernelTable()
      try { await table.read(new Set(), AbortSignal.timeout(5000)) } catch (error) { console.log(error.message) }
      await table.close()`
    const without = ['--bounding-set=-net_admin', '--inh-caps=-net_admin', process.execPath]
    const child = spawnSync('setpriv', [...without, '--input-type=module', '-e', script])
    assert.match(String(child.stdout) + String(child.stderr), /^not permitted: IPVS wants CAP_NET_ADMIN .*\(EPERM\)\n$/)
  })
})
