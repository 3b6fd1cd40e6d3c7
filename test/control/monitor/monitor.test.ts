import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type RealKey, realKeyOf } from '../../../src/config/model.ts'
import { escapeMessage, monitorMessage } from '../../../src/control/monitor/message.ts'
import { createMonitor } from '../../../src/control/monitor/monitor.ts'
import { ctime } from '../../../src/lib/ctime.ts'
import type { Event } from '../../../src/model/events.ts'
import { type CheckResult, down, unknown, up } from '../../../src/model/verdict.ts'
import type { Hold } from '../../../src/table/desired.ts'
import { temporaryFolder } from '../../log/temporary.ts'
import { configOf, createStage, vip, virtual } from '../stage.ts'

type Told = Exclude<CheckResult, { verdict: 'unknown' }>

/** Service, result, the words of behaviour reference 5.2 where it has some. */
const messages: readonly (readonly [string, CheckResult, string])[] = [
  ['http', up('HTTP 200 OK, 9 bytes'), '200 OK'],
  ['https', up('HTTP 200 OK, receive pattern found'), '200 OK'],
  ['http', up('HTTP 206 Partial, and more, more than 1048576 bytes'), '206 Partial, and more'],
  ['http', down('protocol', 'HTTP 404 Not Found'), '404 Not Found'],
  ['http', down('auth', 'HTTP 401 Unauthorized'), '401 Unauthorized'],
  ['http', down('timeout', 'no answer within 5 s: connecting'), '500 Timeout Alarm'],
  ['http', down('refused', 'connection refused while connecting'), '500 connection refused while connecting'],
  [
    'http',
    down('mismatch', '200 OK, receive pattern not found in 3 bytes: "odd"'),
    '200 OK, receive pattern not found in 3 bytes: "odd"',
  ],
  ['http', up('connected'), '-'],
  ['dns', up('answer 10.0.0.1'), 'Success'],
  ['dns', down('mismatch', 'receive pattern not found'), 'Response mismatch'],
  ['dns', down('timeout', 'x'), 'Connection timed out'],
  ['dns', down('protocol', 'NXDOMAIN: no such name'), 'NXDOMAIN: no such name'],
  ['ldap', up('found the root entry'), 'Success'],
  ['ldaps', down('auth', 'invalid credentials'), 'Bind failed'],
  ['ldap', down('mismatch', 'the search found no entry'), 'No answer received'],
  ['ldap', down('mismatch', 'receive pattern not found in the name'), 'Response mismatch'],
  ['ldap', down('protocol', 'x'), 'No answer received'],
  ['ldap', down('refused', 'x'), 'Connection failed'],
  ['ldap', down('timeout', 'x'), 'Connection failed'],
  ['smtp', up('greeted'), '-'],
  ['none', down('refused', 'x'), '-'],
]

describe('the message in a line of the monitor file', () => {
  for (const [service, result, expected] of messages) {
    it(`${service}, ${result.verdict} ${result.detail}: ${expected}`, () => {
      assert.equal(monitorMessage(service, result as Told), expected)
    })
  }

  it('has its line breaks and separators escaped, in small letters', () => {
    assert.equal(escapeMessage('odd %|body\r\nx'), 'odd %25%7cbody%0d%0ax')
  })
})

describe('the monitor file', () => {
  const folder = temporaryFolder()
  const monitorText = { virtualHost: '', checkPort: '', checkCommand: '', request: '/', receive: '' }

  it('gets a line for each result in each virtual service that has the real server, soft failures and maintenance too', async () => {
    const stage = createStage()
    const real = stage.real('10.0.0.1')
    const other = stage.real('10.0.0.2')
    const parts = { monitorFile: folder.path('a'), monitorText, failureCount: 3 }
    const one = virtual({ ...parts, reals: [real, other] })
    const two = virtual({ ...parts, id: { ...vip, port: 81 }, reals: [real] })
    const silent = virtual({ id: { ...vip, port: 82 }, reals: [real] })
    const held = new Map<RealKey, Hold>()
    const told: Event[] = []
    const monitor = createMonitor({ clock: stage.clock, tell: (e) => told.push(e), holds: () => held, pid: 77 })
    const at = stage.clock.now()
    const see = (result: CheckResult): void => {
      for (const each of [one, two, silent])
        monitor.onObservation?.(realKeyOf(each, real), { result, at, durationMs: 1 })
    }
    see(up('HTTP 200 OK, 1 bytes'))
    monitor.onConfig?.(configOf([one, two, silent]))
    see(up('HTTP 200 OK, 1 bytes'))
    see(unknown('local-resource', 'no descriptor'))
    see(down('protocol', '503 50% \u001b[31m'))
    held.set(realKeyOf(one, real), { as: 'out', reason: 'mending' })
    see(up('HTTP 200 OK, 1 bytes'))
    await monitor.stop?.()
    const head = `[${ctime(at)}] [77] negotiate http tcp 10.0.0.1 80 1 masq / `
    assert.deepEqual(readFileSync(folder.path('a'), 'utf8').split('\n'), [
      `${head} [up] 200 OK`,
      `${head} [up] 200 OK`,
      `${head} [down] 503 50%25 \\x1b[31m`,
      `${head} [down] 503 50%25 \\x1b[31m`,
      `${head} [down] Server in maintenance`,
      `${head} [up] 200 OK`,
      '',
    ])
    assert.deepEqual(told, [])
  })

  it('is told once when it cannot be written, and stops nothing', async () => {
    const stage = createStage()
    const real = stage.real('10.0.0.1')
    const one = virtual({ monitorFile: '/dev/full', monitorText, reals: [real] })
    const told: Event[] = []
    const monitor = createMonitor({ clock: stage.clock, tell: (e) => told.push(e), holds: () => new Map() })
    monitor.onConfig?.(configOf([one]))
    for (let n = 0; n < 3; n++) {
      monitor.onObservation?.(realKeyOf(one, real), { result: up('200 OK'), at: 0, durationMs: 1 })
      await monitor.stop?.()
    }
    assert.deepEqual(told, [
      { kind: 'monitor-failed', file: '/dev/full', text: 'ENOSPC: no space left on device, write' },
    ])
  })
})
