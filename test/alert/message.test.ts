import assert from 'node:assert/strict'
import { type AlertMessage, bodyOf, environmentOf, jsonOf, titleOf } from '../../src/alert/message.ts'
import { mailboxOf, recipientsOf } from '../../src/alert/recipients.ts'
import { rosterOf } from '../../src/alert/roster.ts'
import { alertsOf } from '../../src/alert/rules.ts'
import type { Event } from '../../src/model/events.ts'
import { configOf, virtual } from '../control/stage.ts'
import { alertTo } from './stage.ts'

const speaker = { host: 'lab', instance: 'ldirectord' }
const message: AlertMessage = {
  event: 'real-deleted',
  subject: 'Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
  at: Date.UTC(2026, 10, 21, 12, 0, 0, 5),
  phase: 'running',
  virtual: '10.9.9.1:80',
  identity: 'tcp:10.9.9.1:80',
  real: '127.0.0.1:8080',
  state: 'out',
  reason: 'connection refused',
  weight: undefined,
  serviceName: undefined,
  comment: undefined,
}

describe('an alert as text', () => {
  /** As Perl ldirectord 4.12 sent them in the kernel lab. */
  const bodies: readonly [title: string, parts: Partial<AlertMessage>, subject: string, body: string][] = [
    [
      'without a name and a comment',
      {},
      'Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      'ldirectord host: lab\nLog-Message: Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)\nDaemon-Status: running\n',
    ],
    [
      'with both',
      { serviceName: 'web one', comment: 'call bob' },
      '[web one] Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      'ldirectord host: lab\nLog-Message: [web one] Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)\nDaemon-Status: running\n\nService name: web one\nComment: call bob\n\n',
    ],
    [
      'with a name',
      { serviceName: 'only name', phase: 'starting' },
      '[only name] Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      'ldirectord host: lab\nLog-Message: [only name] Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)\nDaemon-Status: starting\n\nService name: only name\n\n',
    ],
    [
      'with a comment, its quotes kept',
      { comment: '"only comment"', phase: 'stopping' },
      'Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      'ldirectord host: lab\nLog-Message: Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)\nDaemon-Status: stopping\n\nComment: "only comment"\n\n',
    ],
  ]
  for (const [title, parts, subject, body] of bodies) {
    it(`is Perl ldirectord's to the byte, ${title}`, () => {
      const given = { ...message, ...parts }
      assert.deepEqual([titleOf(given), bodyOf(given, speaker)], [subject, body])
    })
  }
})

describe('an alert for programs', () => {
  it('is one line of JSON, version 1', () => {
    const text = jsonOf({ ...message, serviceName: 'web', comment: 'a\nb' }, speaker)
    assert.ok(!text.includes('\n'))
    assert.deepEqual(JSON.parse(text), {
      version: 1,
      time: '2026-11-21T12:00:00.005Z',
      host: 'lab',
      instance: 'ldirectord',
      event: 'real-deleted',
      message: 'Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      virtual: '10.9.9.1:80',
      identity: 'tcp:10.9.9.1:80',
      real: '127.0.0.1:8080',
      state: 'out',
      reason: 'connection refused',
      weight: null,
      servicename: 'web',
      comment: 'a\nb',
      status: 'running',
    })
  })

  it('has a few words in the environment', () => {
    assert.deepEqual(environmentOf(message, speaker), {
      LDIRECTORD_HOST: 'lab',
      LDIRECTORD_INSTANCE: 'ldirectord',
      LDIRECTORD_EVENT: 'real-deleted',
      LDIRECTORD_MESSAGE: 'Deleted real server: 127.0.0.1:8080 (10.9.9.1:80)',
      LDIRECTORD_STATUS: 'running',
      LDIRECTORD_VIRTUAL: '10.9.9.1:80',
      LDIRECTORD_REAL: '127.0.0.1:8080',
      LDIRECTORD_STATE: 'out',
    })
  })
})

describe('alerts of an event', () => {
  const roster = rosterOf(configOf([virtual({ alert: alertTo({ serviceName: 'web' }) })]))
  const moment = { phase: 'running', now: 7 } as const
  const of = { virtual: '192.0.2.1:80', identity: 'tcp:192.0.2.1:80', real: '10.0.0.1:80' }
  const kinds: readonly Event[] = [
    { kind: 'real-added', turn: 'in', weight: 3, ...of },
    { kind: 'real-restored', turn: 'in', weight: 3, ...of },
    { kind: 'real-deleted', turn: 'out', mappedFrom: '10.0.0.1:8080', reason: 'refused', ...of },
    { kind: 'real-quiesced', turn: 'out', reason: 'refused', ...of },
    { kind: 'real-readded-quiescent', turn: 'out', reason: 'refused', ...of },
    { kind: 'real-purged', turn: 'out', phase: 'starting', ...of },
    { kind: 'fallback-added', turn: 'in', ...of },
    { kind: 'fallback-deleted', turn: 'out', mappedFrom: undefined, ...of },
  ]

  it('say what changed, to whom, in the words of the log', () => {
    const said = kinds.flatMap((event) => alertsOf(event, roster, moment).map(({ message: m }) => m))
    assert.deepEqual(
      said.map(({ event, subject, state, weight, reason }) => [event, subject, state, weight, reason]),
      [
        ['real-added', 'Added real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 3)', 'in', 3, undefined],
        ['real-restored', 'Restored real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 3)', 'in', 3, undefined],
        [
          'real-deleted',
          'Deleted real server: 10.0.0.1:80 mapped from 10.0.0.1:8080 (192.0.2.1:80)',
          'out',
          undefined,
          'refused',
        ],
        [
          'real-quiesced',
          'Quiescent real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 0)',
          'out',
          undefined,
          'refused',
        ],
        [
          'real-readded-quiescent',
          'Readd Quiescent real server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 0)',
          'out',
          undefined,
          'refused',
        ],
        ['real-purged', 'Purged real server (start): 10.0.0.1:80 (192.0.2.1:80)', 'out', undefined, undefined],
        [
          'fallback-added',
          'Added fallback server: 10.0.0.1:80 (192.0.2.1:80) (Weight set to 1)',
          'in',
          undefined,
          undefined,
        ],
        ['fallback-deleted', 'Deleted fallback server: 10.0.0.1:80 (192.0.2.1:80)', 'out', undefined, undefined],
      ],
    )
    for (const each of said) assert.deepEqual([each.serviceName, each.phase, each.at], ['web', 'running', 7])
  })

  it('are none where no traffic turned, whatever the event', () => {
    const still = kinds.map((event) => ({ ...event, turn: 'none' }) as Event)
    assert.deepEqual(
      still.flatMap((event) => alertsOf(event, roster, moment)),
      [],
    )
  })

  it('are none for virtual services, soft failures and states of checks', () => {
    const others: readonly Event[] = [
      { kind: 'virtual-added', ...of },
      { kind: 'virtual-purged', phase: 'stopping', ...of },
      { kind: 'real-state', state: 'down', detail: 'x', ...of },
      { kind: 'failures-reset', ...of },
      { kind: 'note', text: 'x' },
    ]
    assert.deepEqual(
      others.flatMap((event) => alertsOf(event, roster, moment)),
      [],
    )
  })

  it('are none for a virtual service that the config does not have', () => {
    const event: Event = { kind: 'real-added', turn: 'in', weight: 3, ...of, identity: 'tcp:192.0.2.9:80' }
    assert.deepEqual(alertsOf(event, roster, moment), [])
  })

  it('tell everybody once of a file that was refused', () => {
    const many = configOf(
      [1, 2, 3].map((port) =>
        virtual({
          id: { kind: 'address', protocol: 'tcp', family: 4, address: '192.0.2.1', port },
          alert: alertTo({ to: port === 3 ? 'other@example.test' : 'ops@example.test' }),
        }),
      ),
    )
    const event: Event = { kind: 'reload-refused', file: '/etc/x.cf', reasons: ['a', 'b'], plan: [] }
    assert.deepEqual(
      alertsOf(event, rosterOf(many), moment).map(({ message: m, alert }) => [m.subject, m.reason, alert.to]),
      [
        ['Refused the new configuration: /etc/x.cf', 'a; b', 'ops@example.test'],
        ['Refused the new configuration: /etc/x.cf', 'a; b', 'other@example.test'],
      ],
    )
  })
})

describe('the recipients of emailalert', () => {
  const cases: readonly [text: string, addresses: readonly string[]][] = [
    ['ops@example.test', ['ops@example.test']],
    ['a@x.test, b@y.test', ['a@x.test', 'b@y.test']],
    ['a@x.test b@y.test\t c@z.test', ['a@x.test', 'b@y.test', 'c@z.test']],
    ['root', ['root']],
    ['Night Shift <noc@x.test>, b@y.test', ['noc@x.test', 'b@y.test']],
    ['"Shift" <noc@x.test>', ['noc@x.test']],
    [',, ,', []],
    ['-oX/etc/passwd', []],
    ['<a@x.test>', ['a@x.test']],
    ['a<b@x.test> c', []],
  ]
  for (const [text, addresses] of cases) {
    it(`${JSON.stringify(text)}: ${addresses.join(' and ') || 'nobody'}`, () => {
      assert.deepEqual(
        recipientsOf(text).map(({ address }) => address),
        addresses,
      )
    })
  }

  it('keep the name that stands beside an address', () => {
    assert.deepEqual(mailboxOf('"Night Shift" <noc@x.test>'), { name: 'Night Shift', address: 'noc@x.test' })
    assert.equal(mailboxOf('Night Shift'), undefined)
    assert.equal(mailboxOf('a\nb@x.test'), undefined)
  })
})
