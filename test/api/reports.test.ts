import assert from 'node:assert/strict'
import { checks } from '../../checks/index.ts'
import { decisionOn } from '../../src/api/decision.ts'
import { type Known, statusReport } from '../../src/api/status-report.ts'
import { whyReports } from '../../src/api/why-report.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { formatStatus } from '../../src/cli/show-format.ts'
import { formatWhy } from '../../src/cli/why-format.ts'
import { type Config, type RealKey, realKeyOf } from '../../src/config/model.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import type { Health } from '../../src/health/machine.ts'
import { destinationKeyOf } from '../../src/model/table.ts'
import { down, up } from '../../src/model/verdict.ts'
import { desired, type Hold } from '../../src/table/desired.ts'
import type { ObservedDestination, ObservedService } from '../../src/table/operation.ts'

const text = `checkinterval=5
virtual=192.0.2.10:80
\treal=192.0.2.20:80 masq 2
\treal=192.0.2.21:80 masq 3
\treal=192.0.2.22:81 gate 1
\tfallback=127.0.0.1:80 gate
\tfailurecount=3
\tsuccesscount=2
\tpersistent=300
virtual=5
\treal=192.0.2.20 masq
\tchecktype=connect
\tcheckport=80
`
const services = { tcp: new Map(), udp: new Map() } as never

function configOf(): Config {
  const { parsed, diagnostics } = parseConfig(text, '/etc/ha.d/www.cf', {
    registry: makeRegistry(checks),
    services,
    hostname: 'director',
  })
  if (parsed === undefined) throw new Error(JSON.stringify(diagnostics))
  return resolveConfig(parsed, new Map() as never).config
}

const hour = 3_600_000
const now = Date.parse('2026-11-21T12:00:00Z')

function situation(): { known: Known; keys: readonly RealKey[] } {
  const config = configOf()
  const [web] = config.virtuals
  if (web === undefined) throw new Error('no virtual')
  const keys = config.virtuals.flatMap((virtual) => virtual.reals.map((real) => realKeyOf(virtual, real)))
  const [first, second, third] = keys as [RealKey, RealKey, RealKey]
  const health = new Map<RealKey, Health>([
    [
      first,
      {
        state: 'up',
        since: now - hour,
        failures: 1,
        successes: 0,
        last: { result: up('HTTP 200 OK\x1b[2J'), at: now - 1000, durationMs: 3.2 },
      },
    ],
    [
      second,
      {
        state: 'down',
        since: now - 90_000,
        failures: 3,
        successes: 1,
        last: { result: down('refused', 'connection refused'), at: now - 2000, durationMs: 0.4 },
      },
    ],
    [third, { state: 'up', since: now - 2 * hour, failures: 0, successes: 0 }],
  ])
  const holds = new Map<RealKey, Hold>([[third, { as: 'drain', reason: 'new kernel' }]])
  const entry = (address: string, port: number, weight: number): ObservedDestination => {
    return {
      address,
      port,
      weight,
      forwarding: 'masq',
      upper: 0,
      lower: 0,
      activeConnections: 7,
      inactiveConnections: 1,
    }
  }
  const entries = [entry('192.0.2.20', 80, 2), entry('192.0.2.22', 80, 0), entry('192.0.2.99', 80, 4)]
  const service: ObservedService = {
    id: web.id,
    ...web.settings,
    engine: '',
    destinations: new Map(entries.map((each) => [destinationKeyOf(each), each])),
  }
  const known: Known = {
    config,
    phase: 'running',
    health,
    holds,
    observed: { services: new Map([[web.key, service]]) },
    drift: ['192.0.2.99:80 was added by others'],
    refused: { at: '2026-11-21T11:00:00.000Z', why: 'guard', reasons: ['no virtual service is named'], plan: [] },
    intents: [],
  }
  return { known, keys }
}

const identity = { version: '1', instance: 'www.cf', pid: 7, startedAt: '2026-11-20T12:00:00.000Z' }

describe('what the daemon tells of itself', () => {
  it('is the table with the health, the operator and the thresholds beside it', () => {
    const { known } = situation()
    const report = statusReport(known, identity)
    assert.deepEqual(
      report.virtuals.map(({ virtual, protocol, up, inTable, reals, fallback, others }) => [
        virtual,
        protocol,
        up,
        inTable,
        reals.map(({ real, entry, state, configuredWeight, kernelWeight, hold, last }) =>
          [
            real,
            entry,
            state,
            configuredWeight,
            kernelWeight,
            hold?.as ?? null,
            last?.reason ?? last?.verdict ?? null,
          ].join(' '),
        ),
        fallback === null ? null : [fallback.destination, fallback.kernelWeight],
        others.map(({ destination, kernelWeight }) => [destination, kernelWeight]),
      ]),
      [
        [
          '192.0.2.10:80',
          'tcp',
          1,
          true,
          ['192.0.2.20:80  up 2 2  up', '192.0.2.21:80  down 3   refused', '192.0.2.22:81 192.0.2.22:80 up 1 0 drain '],
          ['127.0.0.1:80', null],
          [['192.0.2.99:80', 4]],
        ],
        ['5', 'fwm', 0, false, ['192.0.2.20:0  pending 1   '], null, []],
      ],
    )
    assert.deepEqual([report.phase, report.refused?.why, report.drift], ['running', 'guard', known.drift])
  })

  it('is a table for people, with the operator before the verdict and nothing that moves a terminal', () => {
    const { known } = situation()
    const shown = formatStatus(statusReport(known, identity), { numbers: 'connections', now })
    assert.deepEqual(
      shown.split('\n').map((line) => line.replace(/ {2,}/g, '  ').trimEnd()),
      [
        'www.cf (pid 7, /etc/ha.d/www.cf) running, for 1d: virtual services 2, real servers 1 of 4 up',
        '',
        'Prot LocalAddress:Port Scheduler  Forward  Weight  ActiveConn  InActConn  State  For  Last check',
        'TCP  192.0.2.10:80 wrr persistent 300',
        '  -> 192.0.2.20:80  Masq  2  7  1  up (failure 1/3)  1h  HTTP 200 OK\\x1b[2J',
        '  -> 192.0.2.21:80  Masq  - (3)  0  0  down (success 1/2)  1m30s  refused: connection refused',
        '  -> 192.0.2.22:80 (192.0.2.22:81)  Route  0 (1)  7  1  maintenance (new kernel), up  2h  not checked yet',
        '  -> 127.0.0.1:80  Route  -  0  0  fallback',
        '  -> 192.0.2.99:80  Masq  4  7  1  not in the file',
        'FWM 5 wrr  not in the table',
        '  -> 192.0.2.20:0  Masq  - (1)  0  0  pending  20778d12h  not checked yet',
        '',
        'The file that lies there now is not in force: no virtual service is named',
        'Changed by others: 192.0.2.99:80 was added by others',
        '',
      ],
    )
  })

  it('tells why, from the decision down to the steps of the last checks', () => {
    const { known, keys } = situation()
    const wanted = desired({
      virtuals: known.config.virtuals,
      health: known.health,
      maintenance: known.holds,
      fallbackInForce: new Set(),
    })
    const [first, second, third] = keys as [RealKey, RealKey, RealKey]
    const looking = {
      ...known,
      history: (key: RealKey) =>
        key === first
          ? [
              {
                result: up('HTTP 200 OK'),
                at: now,
                durationMs: 3.2,
                steps: [
                  { atMs: 0.4, note: 'connecting' },
                  { atMs: 1.1, note: 'GET /' },
                ],
              },
            ]
          : [],
      dueInMs: (key: RealKey) => (key === first ? 1234.5 : undefined),
      decision: (key: RealKey) => decisionOn(key, wanted),
      intentsOf: () => [],
    }
    const [report, ...more] = whyReports([first], looking)
    assert.deepEqual([more, report?.decision, report?.nextCheckInMs], [[], 'in the table with weight 2', 1235])
    if (report === undefined) return
    assert.deepEqual(formatWhy(report, now).split('\n'), [
      '192.0.2.20:80 in 192.0.2.10:80: up for 1h',
      '  table      in the table with weight 2',
      '  weight     configured 2, in the kernel 2, connections 7 active, 1 inactive',
      '  operator   holds nothing back',
      '  check      negotiate http, every 5 s, next in 1.2 s',
      '  thresholds down after failures in a row: 3 (now 1), up after successes in a row: 2 (now 0)',
      '  last checks, newest first:',
      `    ${new Date(now).toLocaleString('sv')}  up  3.2 ms  HTTP 200 OK`,
      '           0.4 ms  connecting',
      '           1.1 ms  GET /',
      '',
    ])
    assert.equal(looking.decision(second), 'not in the table: connection refused')
    assert.equal(
      looking.decision(third),
      'in the table with weight 0, without new connections: in maintenance: new kernel',
    )
  })
})
