import assert from 'node:assert/strict'
import { destinationKeyOf } from '../../src/model/table.ts'
import type { Connection, ServiceDetails, Traffic, Tunnel } from '../../src/table/details.ts'
import { formatListing } from '../../src/table/listing.ts'
import { formatConnections, formatInfo, formatTimeouts } from '../../src/table/listing-kernel.ts'
import { formatRates, formatTotals } from '../../src/table/listing-traffic.ts'
import { formatSaved } from '../../src/table/notation.ts'
import { address, entry, mark, observed, service } from './fixtures.ts'

const traffic = (...numbers: readonly [number, number, number, number, number]): Traffic => {
  const [connections, inPackets, outPackets, inBytes, outBytes] = numbers
  return { connections, inPackets, outPackets, inBytes, outBytes }
}
const none = traffic(0, 0, 0, 0, 0)

/** A service whose destinations all have the same traffic as itself. */
function detailed(of: ReturnType<typeof service>, totals = none, rates = none): ServiceDetails {
  const { destinations, ...rest } = observed(of)
  const entries = [...destinations].map(
    ([key, one]) => [key, { ...one, totals, rates, persistentConnections: 0, tunnel: undefined }] as const,
  )
  return { ...rest, totals, rates, destinations: new Map(entries) }
}

const services = [
  detailed(service(mark(5, 6), ['[2001:db8::20]:0 gate']), traffic(1, 1, 1, 80, 60), traffic(0, 0, 0, 6, 4)),
  detailed(
    service(address('10.9.0.1:80'), ['127.0.0.1:8080 masq', '10.9.0.7:80 masq']),
    traffic(2, 200, 2548, 10535, 157420672),
    traffic(0, 17, 226, 901, 14003392),
  ),
  detailed(service(address('[2001:db8:1111:2222:3333:4444:5555:6666]:80'), []), traffic(2 ** 53, 0, 0, 0, 0)),
  detailed(service(mark(7), [])),
]

// The lines of these tests are those of ipvsadm 1.31 for the same tables.
describe('The listing of traffic', () => {
  it('tells totals to the last digit, whatever their width', () => {
    assert.equal(
      formatTotals(services),
      `Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.9.0.1:80                         2      200     2548    10535 157420672
  -> 10.9.0.7:80                         2      200     2548    10535 157420672
  -> 127.0.0.1:8080                      2      200     2548    10535 157420672
TCP  [2001:db8:1111:2222:3333:4444:5555:6666]:80 9007199254740992        0        0        0        0
FWM  5 IPv6                              1        1        1       80       60
  -> [2001:db8::20]:0                    1        1        1       80       60
FWM  7                                   0        0        0        0        0
`,
    )
  })
  it('tells what passes per second', () => {
    assert.equal(
      formatRates(services.slice(0, 2)),
      `Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
  -> RemoteAddress:Port
TCP  10.9.0.1:80                         0       17      226      901 14003392
  -> 10.9.0.7:80                         0       17      226      901 14003392
  -> 127.0.0.1:8080                      0       17      226      901 14003392
FWM  5 IPv6                              0        0        0        6        4
  -> [2001:db8::20]:0                    0        0        0        6        4
`,
    )
  })
  it('has a head and nothing else for an empty table', () => {
    assert.equal(formatTotals([]).split('\n').length, 3)
  })
})

const connection = (parts: Partial<Connection>): Connection => ({
  protocol: 'tcp',
  family: 4,
  client: { address: '10.9.0.1', port: 57030 },
  virtual: { address: '10.9.0.1', port: 80 },
  destination: { address: '127.0.0.1', port: 8080 },
  state: 'ESTABLISHED',
  expiresMs: 895_000,
  engine: undefined,
  ...parts,
})

describe('The listing of what the kernel keeps', () => {
  it('tells version, size and time-outs', () => {
    const info = { version: '1.2.1', connectionTableSize: 4096 }
    assert.equal(formatInfo(info), 'IP Virtual Server version 1.2.1 (size=4096)\n')
    assert.equal(formatTimeouts({ tcp: 900, tcpFin: 120, udp: 300 }), 'Timeout (tcp tcpfin udp): 900 120 300\n')
  })
  it('tells connections and templates', () => {
    const template = {
      protocol: 'ip',
      family: 6,
      client: { address: 'fd00::1', port: 0 },
      virtual: { address: '0:7::', port: 0 },
      destination: { address: '::1', port: 0 },
      state: 'NONE',
      expiresMs: 94_000,
    } as const
    const hours = { client: { address: '10.9.0.0', port: 0 }, state: 'ASSURED', expiresMs: 7_295_999 }
    assert.equal(
      formatConnections([connection({}), connection(template), connection(hours)]),
      `IPVS connection entries
pro expire state       source             virtual            destination
TCP 14:55  ESTABLISHED 10.9.0.1:57030     10.9.0.1:80        127.0.0.1:8080
IP  01:34  NONE        [fd00::1]:0        [0:7::]:0          [::1]:0
TCP 121:35 ASSURED     10.9.0.0:0         10.9.0.1:80        127.0.0.1:8080
`,
    )
  })
})

describe('Tunnels that are not plain ipip', () => {
  const tunnels: readonly [Tunnel, string][] = [
    [{ type: 'gue', port: 6080, checksum: 'nocsum' }, '--tun-type gue --tun-port 6080 --tun-nocsum'],
    [{ type: 'gue', port: 6080, checksum: 'remcsum' }, '--tun-type gue --tun-port 6080 --tun-remcsum'],
    [{ type: 'gre', port: 0, checksum: 'csum' }, '--tun-type gre --tun-csum'],
  ]
  for (const [tunnel, options] of tunnels) {
    const plain = detailed(service(mark(5), ['192.0.2.20:0 ipip 2'], { scheduler: 'rr' }))
    const one = { ...entry('192.0.2.20:0 ipip 2'), activeConnections: 0, inactiveConnections: 0 }
    const entries = [[destinationKeyOf(one), { ...one, forwarding: 'unknown', tunnel } as const] as const]
    const found = { ...plain, destinations: new Map(entries) }

    it(`are saved as ${options}`, () => {
      assert.equal(formatSaved([found]), `-A -f 5 -s rr\n-a -f 5 -r 192.0.2.20:0 -i -w 2 ${options}\n`)
    })
    it(`are listed as tunnels: ${options}`, () => assert.match(formatListing([found]), / Tunnel {2}2 /))
  }
})
