import assert from 'node:assert/strict'
import { exitCodeOf, formatReport, reportOf } from '../../src/cli/check-report.ts'
import { type Config, type RealKey, realKeyOf } from '../../src/config/model.ts'
import type { Observation } from '../../src/health/machine.ts'
import { type CheckResult, down, unknown, up } from '../../src/model/verdict.ts'
import { configOf, createStage, virtual } from '../control/stage.ts'

const stage = createStage()

function observe(config: Config, results: readonly (CheckResult | undefined)[]): Map<RealKey, Observation> {
  const keys = config.virtuals.flatMap((v) => v.reals.map((real) => realKeyOf(v, real)))
  const found = new Map<RealKey, Observation>()
  for (const [index, key] of keys.entries()) {
    const result = results[index]
    if (result !== undefined) found.set(key, { result, at: 1, durationMs: 12.4 })
  }
  return found
}

describe('The report of a one-shot check', () => {
  const two = configOf([
    virtual({ reals: [stage.real('10.0.0.1'), stage.real('10.0.0.2', { weight: 3 })], fallback: '10.0.0.9' }),
  ])

  it('has the documented shape, names as in ipvsadm', () => {
    const report = reportOf(two, observe(two, [up('200 OK'), down('timeout', 'waiting for headers')]))
    assert.deepEqual(report, {
      virtuals: [
        {
          virtual: '192.0.2.1:80',
          protocol: 'tcp',
          checktype: 'negotiate',
          service: 'http',
          up: 1,
          down: 1,
          fallback: '10.0.0.9:80',
          reals: [
            {
              real: '10.0.0.1:80',
              forwarding: 'masq',
              weight: 1,
              verdict: 'up',
              reason: null,
              detail: '200 OK',
              durationMs: 12,
            },
            {
              real: '10.0.0.2:80',
              forwarding: 'masq',
              weight: 3,
              verdict: 'down',
              reason: 'timeout',
              detail: 'waiting for headers',
              durationMs: 12,
            },
          ],
        },
      ],
    })
  })

  it('writes marks and IPv6 addresses as ipvsadm does, and null for no fallback', () => {
    const config = configOf([
      virtual({ id: { kind: 'fwmark', family: 4, mark: 5 } }),
      virtual({ id: { kind: 'address', protocol: 'udp', family: 6, address: '2001:db8::1', port: 53 } }),
    ])
    const { virtuals } = reportOf(config, new Map())
    assert.deepEqual(
      virtuals.map((v) => [v.virtual, v.protocol, v.fallback]),
      [
        ['5', 'fwm', null],
        ['[2001:db8::1]:53', 'udp', null],
      ],
    )
  })

  for (const [name, results, code] of [
    ['0 when all are up', [up(''), up('')], 0],
    ['1 when one is down', [up(''), down('refused', '')], 1],
    ['1 when one is down and another not determined', [unknown('missing-tool', ''), down('refused', '')], 1],
    ['3 when none is down and one not determined', [up(''), unknown('not-permitted', '')], 3],
  ] as const) {
    it(`ends with ${name}`, () => assert.equal(exitCodeOf(reportOf(two, observe(two, results))), code))
  }

  it('takes a real server with checktype=off as no news', () => {
    const config = configOf([virtual({ checkType: 'off', reals: [stage.real('10.0.0.1')] })])
    assert.equal(exitCodeOf(reportOf(config, new Map())), 0)
  })

  it('prints a table without control characters of a real server', () => {
    const text = formatReport(reportOf(two, observe(two, [up('ok'), down('mismatch', 'body \u001b[31mred\u001b[0m')])))
    assert.equal(
      text,
      [
        'VIRTUAL           REAL         VERDICT  REASON    TIME   DETAIL',
        'tcp 192.0.2.1:80  10.0.0.1:80  up                 12 ms  ok',
        'tcp 192.0.2.1:80  10.0.0.2:80  down     mismatch  12 ms  body \\x1b[31mred\\x1b[0m',
        '',
        '1 up, 1 down',
        '',
      ].join('\n'),
    )
  })
})
