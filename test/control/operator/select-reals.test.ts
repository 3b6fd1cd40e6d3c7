import assert from 'node:assert/strict'
import type { Config, Real } from '../../../src/config/model.ts'
import { isFault, selectReals } from '../../../src/control/operator/select-reals.ts'
import type { ServiceId } from '../../../src/model/service.ts'
import { configOf, virtual } from '../stage.ts'

const at = { file: 'test.cf', line: 1, column: 1, length: 1 }

function real(host: string, port = 80, parts: Partial<Real> = {}): Real {
  const address = parts.address ?? host
  return {
    id: `${address}:${port}/${parts.id ?? 'x'}`,
    at,
    host,
    address,
    family: host.includes(':') ? 6 : 4,
    port,
    effectivePort: port,
    forwarding: 'masq',
    weight: 1,
    upper: 0,
    lower: 0,
    checking: { kind: 'on' },
    ...parts,
  }
}

const address = (text: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): ServiceId => ({
  kind: 'address',
  protocol,
  family: text.includes(':') ? 6 : 4,
  address: text,
  port,
})

const config: Config = configOf([
  virtual({
    id: address('192.0.2.10', 80),
    reals: [
      real('192.0.2.20'),
      real('web1.example.com', 80, { address: '192.0.2.21' }),
      real('192.0.2.22', 8080, { effectivePort: 80, forwarding: 'gate' }),
    ],
  }),
  virtual({ id: address('192.0.2.10', 53), reals: [real('192.0.2.25', 53)] }),
  virtual({ id: address('192.0.2.10', 53, 'udp'), reals: [real('192.0.2.25', 53)] }),
  virtual({ id: address('2001:db8::10', 80), reals: [real('2001:db8::20'), real('2001:db8::21', 8080)] }),
  virtual({ id: { kind: 'fwmark', family: 4, mark: 5 }, reals: [real('192.0.2.20'), real('192.0.2.30', 0)] }),
])

const selected = (text: string, all = false): unknown => {
  const found = selectReals(config, text, { all })
  return isFault(found) ? found : found.map((key) => key.replace('/x', ''))
}

describe('naming a real server', () => {
  for (const [text, ...keys] of [
    ['192.0.2.10:80/192.0.2.20:80', 'tcp:192.0.2.10:80 192.0.2.20:80'],
    ['192.0.2.10:80/192.0.2.20', 'tcp:192.0.2.10:80 192.0.2.20:80'],
    ['tcp:192.0.2.10:80/192.0.2.20:80', 'tcp:192.0.2.10:80 192.0.2.20:80'],
    ['TCP:192.0.2.10:80/WEB1.example.com', 'tcp:192.0.2.10:80 192.0.2.21:80'],
    ['5/192.0.2.20:80', 'fwm:5 192.0.2.20:80'],
    ['fwm:5/192.0.2.20', 'fwm:5 192.0.2.20:80'],
    ['192.0.2.30', 'fwm:5 192.0.2.30:0'],
    ['192.0.2.30:0', 'fwm:5 192.0.2.30:0'],
    ['web1.example.com', 'tcp:192.0.2.10:80 192.0.2.21:80'],
    ['web1.example.com:80', 'tcp:192.0.2.10:80 192.0.2.21:80'],
    ['192.0.2.21:80', 'tcp:192.0.2.10:80 192.0.2.21:80'],
    ['192.0.2.22:8080', 'tcp:192.0.2.10:80 192.0.2.22:8080'],
    ['192.0.2.22:80', 'tcp:192.0.2.10:80 192.0.2.22:8080'],
    ['2001:db8::20', 'tcp:[2001:db8::10]:80 2001:db8::20:80'],
    ['[2001:DB8:0::20]', 'tcp:[2001:db8::10]:80 2001:db8::20:80'],
    ['[2001:db8::21]:8080', 'tcp:[2001:db8::10]:80 2001:db8::21:8080'],
    ['[2001:db8::10]:80/[2001:db8::20]:80', 'tcp:[2001:db8::10]:80 2001:db8::20:80'],
    ['udp:192.0.2.10:53/192.0.2.25', 'udp:192.0.2.10:53 192.0.2.25:53'],
  ] as const) {
    it(`takes ${text}`, () => {
      assert.deepEqual(selected(text), keys)
    })
  }

  it('lists the forms when several virtual services have it, each of which names one', () => {
    assert.deepEqual(selected('192.0.2.20'), {
      kind: 'ambiguous',
      message: '"192.0.2.20" is 2 real servers: say which one, or all of them with --all',
      choices: ['192.0.2.10:80/192.0.2.20:80', '5/192.0.2.20:80'],
    })
    const fault = selectReals(config, '192.0.2.25:53')
    assert.ok(isFault(fault))
    assert.deepEqual(fault.choices, ['tcp:192.0.2.10:53/192.0.2.25:53', 'udp:192.0.2.10:53/192.0.2.25:53'])
    for (const choice of fault.choices) assert.equal((selected(choice) as string[]).length, 1)
  })

  it('takes all of them when told so', () => {
    assert.deepEqual(selected('192.0.2.20', true), ['tcp:192.0.2.10:80 192.0.2.20:80', 'fwm:5 192.0.2.20:80'])
    assert.deepEqual(selected('192.0.2.10:53/192.0.2.25', true), [
      'tcp:192.0.2.10:53 192.0.2.25:53',
      'udp:192.0.2.10:53 192.0.2.25:53',
    ])
  })

  it('takes two lines with the same host and port as one real server', () => {
    const twice = configOf([
      virtual({ reals: [real('192.0.2.20'), real('192.0.2.20', 80, { id: '192.0.2.20:80/y' })] }),
    ])
    const found = selectReals(twice, '192.0.2.20')
    assert.deepEqual(found, ['tcp:192.0.2.1:80 192.0.2.20:80/x', 'tcp:192.0.2.1:80 192.0.2.20:80/y'])
  })

  for (const [text, message, ...choices] of [
    ['192.0.2.29', 'no real server of the configuration is "192.0.2.29"', '192.0.2.20'],
    ['web1.exmaple.com', 'no real server of the configuration is "web1.exmaple.com"', 'web1.example.com'],
    ['192.0.2.10:81/192.0.2.20', 'no virtual service of the configuration is "192.0.2.10:81"', '192.0.2.10:80'],
    ['5/192.0.2.31:0', 'no real server of virtual service 5 is "5/192.0.2.31:0"', '5/192.0.2.30:0'],
    ['', 'no real server of the configuration is ""'],
    ['/', 'no virtual service of the configuration is ""'],
    ['something\u001b[31m', 'no real server of the configuration is "something\\x1b[31m"'],
    ['192.0.2.20:99999', 'no real server of the configuration is "192.0.2.20:99999"', '192.0.2.20:80'],
    ['2001:db8::20:80', 'no real server of the configuration is "2001:db8::20:80"', '[2001:db8::20]:80'],
  ] as const) {
    it(`says that ${JSON.stringify(text)} is unknown, and what is near`, () => {
      assert.deepEqual(selected(text), { kind: 'unknown', message, choices })
    })
  }

  it('answers for a configuration without virtual services', () => {
    assert.deepEqual(selectReals(configOf([]), '192.0.2.20'), {
      kind: 'unknown',
      message: 'no real server of the configuration is "192.0.2.20"',
      choices: [],
    })
  })
})
