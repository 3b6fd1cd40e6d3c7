import assert from 'node:assert/strict'
import { formatListing } from '../../src/table/listing.ts'
import { formatOperation, formatSaved } from '../../src/table/notation.ts'
import type { Operation } from '../../src/table/operation.ts'
import { address, entry, mark, observed, service, settings } from './fixtures.ts'

const web = address('192.0.2.10:80')
const destination = entry('192.0.2.20:8080 masq 3 x10 y5')

const lines: readonly [Operation, string][] = [
  [{ kind: 'add-service', id: web, settings: settings() }, '-A -t 192.0.2.10:80 -s wrr'],
  [
    {
      kind: 'edit-service',
      id: address('[2001:db8::10]:53', 'udp'),
      settings: settings({ scheduler: 'rr', onePacket: true, persistence: { timeoutSeconds: 60, netmask: '64' } }),
    },
    '-E -u [2001:db8::10]:53 -s rr -p 60 -M 64 -o',
  ],
  [
    {
      kind: 'add-service',
      id: mark(5, 6),
      settings: settings({ scheduler: 'sh', schedulerFlags: 0x18, persistence: { timeoutSeconds: 9, netmask: '128' } }),
    },
    '-A -f 5 -6 -s sh -p 9 -b sh-fallback,sh-port',
  ],
  [
    { kind: 'add-service', id: mark(5), settings: settings({ scheduler: 'rr', schedulerFlags: 0x38 }) },
    '-A -f 5 -s rr -b flag-1,flag-2,flag-3',
  ],
  [{ kind: 'delete-service', id: address('192.0.2.10:2905', 'sctp') }, '-D --sctp-service 192.0.2.10:2905'],
  [{ kind: 'add-destination', id: web, destination }, '-a -t 192.0.2.10:80 -r 192.0.2.20:8080 -m -w 3 -x 10 -y 5'],
  [
    { kind: 'edit-destination', id: mark(5, 6), destination: entry('[2001:db8::20]:0 gate 0') },
    '-e -f 5 -6 -r [2001:db8::20]:0 -g -w 0 -x 0 -y 0',
  ],
  [{ kind: 'delete-destination', id: web, destination }, '-d -t 192.0.2.10:80 -r 192.0.2.20:8080'],
]

describe('The notation of ipvsadm', () => {
  for (const [operation, line] of lines) {
    it(`writes ${operation.kind} as ${line}`, () => assert.equal(formatOperation(operation), line))
  }

  /** Taken from `ipvsadm -S -n` of version 1.31 on Linux 6.1. */
  const printed = [
    '-A -t 192.0.2.10:0 -s mh -p 360 -b mh-fallback,mh-port',
    '-a -t 192.0.2.10:0 -r 192.0.2.21:0 -m -w 1',
    '-A -t 192.0.2.10:80 -s rr',
    '-a -t 192.0.2.10:80 -r 192.0.2.20:8080 -m -w 3',
    '-a -t 192.0.2.10:80 -r 192.0.2.21:80 -g -w 0',
    '-a -t 192.0.2.10:80 -r 192.0.2.22:80 -i -w 1 --tun-type ipip',
    '-A -u 192.0.2.10:53 -s wlc -o',
    '-A -u 192.0.2.12:5060 -s lc -p 60 --pe sip',
    '-A --sctp-service 192.0.2.11:21 -s lc -b flag-3',
    '-A -t [2001:db8::10]:80 -s sh -b sh-fallback,sh-port',
    '-a -t [2001:db8::10]:80 -r [2001:db8::21]:80 -m -w 1',
    '-A -f 5 -s wrr -p 300 -M 255.255.255.0',
    '-a -f 5 -r 192.0.2.21:0 -g -w 1',
    '-A -f 5 -6 -s wrr -p 300 -M 64',
    '-A -f 6 -s none',
    '-a -f 6 -r 192.0.2.21:80 -m -w 1000000',
  ]
  const narrow = (netmask: string): { timeoutSeconds: number; netmask: string } => ({ timeoutSeconds: 300, netmask })
  const hosts = (timeoutSeconds: number): { timeoutSeconds: number; netmask: string } => ({
    timeoutSeconds,
    netmask: '255.255.255.255',
  })
  const table = [
    observed(service(mark(6), ['192.0.2.21:80 masq 1000000'], { scheduler: 'none' })),
    observed(service(mark(5, 6), [], { persistence: narrow('64') })),
    observed(service(mark(5), ['192.0.2.21:0 gate'], { persistence: narrow('255.255.255.0') })),
    observed(service(address('192.0.2.11:21', 'sctp'), [], { scheduler: 'lc', schedulerFlags: 0x20 })),
    observed(service(address('192.0.2.12:5060', 'udp'), [], { scheduler: 'lc', persistence: hosts(60) }), 'sip'),
    observed(service(address('192.0.2.10:53', 'udp'), [], { scheduler: 'wlc', onePacket: true })),
    observed(
      service(web, ['192.0.2.22:80 ipip', '192.0.2.21:80 gate 0', '192.0.2.20:8080 masq 3 x10 y5'], {
        scheduler: 'rr',
      }),
    ),
    observed(
      service(address('192.0.2.10:0'), ['192.0.2.21:0'], {
        scheduler: 'mh',
        schedulerFlags: 0x18,
        persistence: hosts(360),
      }),
    ),
    observed(service(address('[2001:db8::10]:80'), ['[2001:db8::21]:80'], { scheduler: 'sh', schedulerFlags: 0x18 })),
  ]

  it('writes the whole table as ipvsadm -S -n, in its order, to the byte', () => {
    assert.equal(formatSaved(table), `${printed.join('\n')}\n`)
  })
  it('writes nothing for an empty table', () => {
    assert.equal(formatSaved([]), '')
  })
  it('writes marks above 2147483647 as they are', () => {
    assert.equal(formatSaved([service(mark(4000000000), [])]), '-A -f 4000000000 -s wrr\n')
  })
  it('shows people the table as ipvsadm -L -n', () => {
    assert.equal(
      formatListing(table),
      [
        'Prot LocalAddress:Port Scheduler Flags',
        '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
        'TCP  192.0.2.10:0 mh (mh-fallback,mh-port) persistent 360',
        '  -> 192.0.2.21:0                 Masq    1      0          0         ',
        'TCP  192.0.2.10:80 rr',
        '  -> 192.0.2.20:8080              Masq    3      0          0         ',
        '  -> 192.0.2.21:80                Route   0      0          0         ',
        '  -> 192.0.2.22:80                Tunnel  1      0          0         ',
        'UDP  192.0.2.10:53 wlc ops',
        'UDP  192.0.2.12:5060 lc persistent 60 pe sip',
        'SCTP 192.0.2.11:21 lc (flag-3)',
        'TCP  [2001:db8::10]:80 sh (sh-fallback,sh-port)',
        '  -> [2001:db8::21]:80            Masq    1      0          0         ',
        'FWM  5 wrr persistent 300 mask 255.255.255.0',
        '  -> 192.0.2.21:0                 Route   1      0          0         ',
        'FWM  5 IPv6 wrr persistent 300 mask 64',
        'FWM  6 none',
        '  -> 192.0.2.21:80                Masq    1000000 0          0         ',
        '',
      ].join('\n'),
    )
  })
})
