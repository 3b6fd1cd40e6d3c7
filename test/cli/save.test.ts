import assert from 'node:assert/strict'
import { createMemoryTable, type MemoryTable } from '../../src/backend/memory.ts'
import { save } from '../../src/cli/save.ts'
import type { IpvsTable } from '../../src/table/details.ts'
import { TableError } from '../../src/table/operation.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import { address, mark, observed, service } from '../table/fixtures.ts'

interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function saved(openTable: () => Promise<IpvsTable>, json = false): Promise<Told> {
  const told = { out: '', err: '' }
  const code = await save(
    {
      clock: createVirtualClock(),
      openTable,
      out: (text) => (told.out += text),
      err: (text) => (told.err += text),
    },
    { json },
  )
  return { code, ...told }
}

describe('save', () => {
  let table: MemoryTable
  beforeEach(() => {
    table = createMemoryTable()
    table.seed(observed(service(mark(5, 6), ['[2001:db8::20]:0 gate 0'], { scheduler: 'sh', schedulerFlags: 0x10 })))
    table.seed(observed(service(address('192.0.2.10:80'), ['192.0.2.21:80 ipip 2', '192.0.2.20:8080 masq'])))
  })
  const open = async (): Promise<IpvsTable> => table

  it('prints every service as ipvsadm -S -n does', async () => {
    assert.deepEqual(await saved(open), {
      code: 0,
      out: `-A -t 192.0.2.10:80 -s wrr
-a -t 192.0.2.10:80 -r 192.0.2.20:8080 -m -w 1
-a -t 192.0.2.10:80 -r 192.0.2.21:80 -i -w 2 --tun-type ipip
-A -f 5 -6 -s sh -b sh-port
-a -f 5 -6 -r [2001:db8::20]:0 -g -w 0
`,
      err: '',
    })
  })
  it('prints nothing of an empty table', async () => {
    assert.deepEqual(await saved(async () => createMemoryTable()), { code: 0, out: '', err: '' })
  })
  it('says on standard error that thresholds are lost in that form, and prints them as JSON', async () => {
    const persistence = { timeoutSeconds: 60, netmask: '255.255.255.0' }
    table = createMemoryTable()
    table.seed(observed(service(address('192.0.2.10:53', 'udp'), ['192.0.2.20:53 x9 y4'], { persistence }), 'sip'))
    const { out, err } = await saved(open)
    assert.equal(
      out,
      '-A -u 192.0.2.10:53 -s wrr -p 60 -M 255.255.255.0 --pe sip\n-a -u 192.0.2.10:53 -r 192.0.2.20:53 -m -w 1\n',
    )
    assert.match(err, /^Thresholds are not among these lines.*\n$/)
    const told = await saved(open, true)
    assert.deepEqual([told.code, told.err], [0, ''])
    assert.deepEqual(JSON.parse(told.out), {
      services: [
        {
          virtual: '192.0.2.10:53',
          protocol: 'udp',
          family: 4,
          scheduler: 'wrr',
          schedulerFlags: [],
          persistent: { seconds: 60, netmask: '255.255.255.0' },
          onePacket: false,
          engine: 'sip',
          destinations: [
            {
              destination: '192.0.2.20:53',
              forwarding: 'masq',
              tunnel: null,
              weight: 1,
              upperThreshold: 9,
              lowerThreshold: 4,
            },
          ],
        },
      ],
    })
  })
  it('ends with 4 and a sentence when there is no table', async () => {
    const none = async (): Promise<IpvsTable> => {
      const fail = (): Promise<never> => Promise.reject(new TableError('ENOENT', 'this kernel has no IPVS (ENOENT)'))
      return { ...createMemoryTable(), details: fail }
    }
    assert.deepEqual(await saved(none), {
      code: 4,
      out: '',
      err: 'The IPVS table cannot be read: this kernel has no IPVS (ENOENT)\n',
    })
  })
})
