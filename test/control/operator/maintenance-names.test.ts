import assert from 'node:assert/strict'
import type { Real } from '../../../src/config/model.ts'
import { indexNames, maintenanceNames, shortNameOf } from '../../../src/control/operator/maintenance-names.ts'
import { virtual } from '../stage.ts'

const real = (parts: Partial<Real>): Real => ({
  id: 'x',
  at: { file: 'test.cf', line: 1, column: 1, length: 1 },
  host: '192.0.2.20',
  address: '192.0.2.20',
  family: 4,
  port: 80,
  effectivePort: 80,
  forwarding: 'masq',
  weight: 1,
  upper: 0,
  lower: 0,
  checking: { kind: 'on' },
  ...parts,
})

describe('names of maintenance files', () => {
  for (const { what, parts, dns = [], names } of [
    {
      what: 'an address without a name',
      parts: {},
      names: ['192.0.2.20:80', '192.0.2.20'],
    },
    {
      what: 'an address with a name: all six forms',
      parts: {},
      dns: ['web1.example.com'],
      names: ['192.0.2.20:80', '192.0.2.20', 'web1.example.com:80', 'web1.example.com', 'web1:80', 'web1'],
    },
    {
      what: 'a name of the configuration, without DNS',
      parts: { host: 'web1.example.com' },
      names: ['192.0.2.20:80', '192.0.2.20', 'web1.example.com:80', 'web1.example.com', 'web1:80', 'web1'],
    },
    {
      what: 'a name of the configuration that has no address now',
      parts: { host: 'web1.example.com', address: undefined },
      names: ['web1.example.com:80', 'web1.example.com', 'web1:80', 'web1'],
    },
    {
      what: 'a name without a dot, and another one from DNS',
      parts: { host: 'web1' },
      dns: ['node7.rack2.example.com', 'web1'],
      names: [
        ...['192.0.2.20:80', '192.0.2.20', 'web1:80', 'web1'],
        ...['node7.rack2.example.com:80', 'node7.rack2.example.com', 'node7:80', 'node7'],
      ],
    },
    {
      what: 'IPv6, in brackets',
      parts: { host: '2001:db8::20', address: '2001:db8::20', family: 6 } as const,
      dns: ['web6.example.com'],
      names: [
        ...['[2001:db8::20]:80', '[2001:db8::20]', 'web6.example.com:80', 'web6.example.com'],
        ...['web6:80', 'web6'],
      ],
    },
    {
      what: 'the port that is configured, not that of the table',
      parts: { port: 8080, effectivePort: 80, forwarding: 'gate' } as const,
      names: ['192.0.2.20:8080', '192.0.2.20'],
    },
  ]) {
    it(`has those of ${what}`, () => {
      assert.deepEqual([...maintenanceNames({ real: real(parts) }, () => dns)].sort(), [...names].sort())
    })
  }

  for (const [name, short] of [
    ['web1.example.com', 'web1'],
    ['web-1.example.com', 'web-1'],
    ['web1', undefined],
    ['w.example.com', undefined],
    ['1web.example.com', undefined],
    ['Web1.example.com', undefined],
    ['web_1.example.com', undefined],
  ] as const) {
    it(`takes ${short ?? 'nothing'} as the short form of ${name}`, () => {
      assert.equal(shortNameOf(name), short)
    })
  }

  it('lead from one file to every real server that it fits', () => {
    const lines = [
      { virtual: virtual({}), real: real({}) },
      { virtual: virtual({ id: { kind: 'fwmark', family: 4, mark: 5 } }), real: real({ port: 0 }) },
    ]
    const index = indexNames(lines, () => [])
    assert.deepEqual([...(index.get('192.0.2.20') ?? [])], ['tcp:192.0.2.1:80 192.0.2.20:80', 'fwm:5 192.0.2.20:0'])
    assert.deepEqual([...(index.get('192.0.2.20:80') ?? [])], ['tcp:192.0.2.1:80 192.0.2.20:80'])
    assert.equal(index.get('192.0.2.21'), undefined)
  })
})
