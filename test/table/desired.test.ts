import assert from 'node:assert/strict'
import { type Fallback, type RealKey, realKeyOf, type Virtual } from '../../src/config/model.ts'
import type { Health } from '../../src/health/machine.ts'
import type { ServiceId, ServiceKey } from '../../src/model/service.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import { desired, type Hold, type Known, type Role } from '../../src/table/desired.ts'
import { formatSaved } from '../../src/table/notation.ts'
import { address, mark, settings } from './fixtures.ts'
import { fallbackOf, realOf, virtualOf } from './virtuals.ts'

const web = address('192.0.2.10:80')

type State = 'up' | 'down' | 'pending' | 'held' | 'drained'

interface Case {
  readonly id?: ServiceId
  readonly quiescent?: boolean
  readonly reals: readonly string[]
  readonly fallback?: string
}

function virtual({ id = web, quiescent = false, reals, fallback }: Case): Virtual {
  return virtualOf(id, { quiescent, reals: reals.map(realOf), fallback: fallback ? fallbackOf(fallback) : undefined })
}

interface Moment {
  readonly states: readonly State[]
  readonly serving?: boolean
}

function known(of: Virtual, { states, serving = false }: Moment): Known {
  const health = new Map<RealKey, Health>()
  const maintenance = new Map<RealKey, Hold>()
  for (const [index, real] of of.reals.entries()) {
    const state = states[index] ?? 'pending'
    const key = realKeyOf(of, real)
    if (state === 'held') maintenance.set(key, { as: 'out', reason: 'file a' })
    if (state === 'drained') maintenance.set(key, { as: 'drain', reason: 'operator' })
    const isHeld = state === 'held' || state === 'drained'
    health.set(key, { state: isHeld ? 'up' : state, since: 0, failures: 0, successes: 0 })
  }
  return { virtuals: [of], health, maintenance, fallbackInForce: new Set<ServiceKey>(serving ? [of.key] : []) }
}

function entries(of: Virtual, moment: Moment): string[] {
  const lines = formatSaved(desired(known(of, moment)).table.values())
    .trimEnd()
    .split('\n')
    .slice(1)
  return lines.map((line) => line.replace(/^.* -r /, '').replace(' --tun-type ipip', ''))
}

const A = '192.0.2.20:80 masq 3'
const B = '192.0.2.21:80 masq 2'
const F = '127.0.0.1:80 gate'

/** Every step of a life, with the whole pool at each. */
const lives: readonly [string, Case, readonly [readonly State[], boolean, readonly string[]][]][] = [
  [
    'quiescent=no with a fallback',
    { reals: [A, B], fallback: F },
    [
      [['pending', 'pending'], false, []],
      [['pending', 'down'], false, []],
      [['up', 'down'], false, ['192.0.2.20:80 -m -w 3']],
      [['up', 'up'], false, ['192.0.2.20:80 -m -w 3', '192.0.2.21:80 -m -w 2']],
      [['down', 'up'], false, ['192.0.2.21:80 -m -w 2']],
      [['down', 'down'], false, ['127.0.0.1:80 -g -w 1']],
      [['down', 'down'], true, ['127.0.0.1:80 -g -w 1']],
      [['down', 'up'], true, ['192.0.2.21:80 -m -w 2']],
    ],
  ],
  [
    'quiescent=yes with a fallback',
    { reals: [A, B], fallback: F, quiescent: true },
    [
      [['pending', 'pending'], false, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 0']],
      [['up', 'pending'], false, ['192.0.2.20:80 -m -w 3', '192.0.2.21:80 -m -w 0']],
      [['up', 'down'], false, ['192.0.2.20:80 -m -w 3', '192.0.2.21:80 -m -w 0']],
      [['down', 'down'], false, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 0', '127.0.0.1:80 -g -w 1']],
      [['down', 'up'], true, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 2']],
    ],
  ],
  [
    'a fallback that was serving when we came',
    { reals: [A, B], fallback: F },
    [
      [['pending', 'pending'], true, ['127.0.0.1:80 -g -w 1']],
      [['pending', 'down'], true, ['127.0.0.1:80 -g -w 1']],
      [['pending', 'up'], true, ['192.0.2.21:80 -m -w 2']],
      [['down', 'down'], true, ['127.0.0.1:80 -g -w 1']],
    ],
  ],
  ['no real servers at all', { reals: [], fallback: F }, [[[], false, ['127.0.0.1:80 -g -w 1']]]],
  ['no fallback', { reals: [A] }, [[['down'], false, []]]],
  [
    'a weight of 0, which counts as up',
    { reals: ['192.0.2.20:80 masq 0', B], fallback: F },
    [
      [['up', 'down'], false, ['192.0.2.20:80 -m -w 0']],
      [['down', 'down'], false, ['127.0.0.1:80 -g -w 1']],
    ],
  ],
  [
    'maintenance, quiescent=no',
    { reals: [A, B], fallback: F },
    [
      [['held', 'up'], false, ['192.0.2.21:80 -m -w 2']],
      [['held', 'pending'], false, []],
      [['held', 'down'], false, ['127.0.0.1:80 -g -w 1']],
      [['held', 'held'], false, ['127.0.0.1:80 -g -w 1']],
    ],
  ],
  [
    'maintenance, quiescent=yes',
    { reals: [A, B], quiescent: true },
    [[['held', 'up'], false, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 2']]],
  ],
  [
    'drained: weight 0 whatever quiescent says, and as good as down for the fallback',
    { reals: [A, B], fallback: F },
    [
      [['drained', 'up'], false, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 2']],
      [['drained', 'pending'], false, ['192.0.2.20:80 -m -w 0']],
      [['drained', 'down'], false, ['192.0.2.20:80 -m -w 0', '127.0.0.1:80 -g -w 1']],
    ],
  ],
  [
    'gate with another port, which becomes the service’s (D4)',
    { reals: ['192.0.2.20:18080 gate 1'], quiescent: true },
    [
      [['down'], false, ['192.0.2.20:80 -g -w 0']],
      [['up'], false, ['192.0.2.20:80 -g -w 1']],
    ],
  ],
  [
    'two lines for one entry: in while any is up, with the weight of the last that is',
    { reals: ['192.0.2.20:81 gate 1', '192.0.2.20:82 gate 5'], fallback: F },
    [
      [['up', 'up'], false, ['192.0.2.20:80 -g -w 5']],
      [['up', 'down'], false, ['192.0.2.20:80 -g -w 1']],
      [['down', 'up'], false, ['192.0.2.20:80 -g -w 5']],
      [['pending', 'up'], false, ['192.0.2.20:80 -g -w 5']],
      [['down', 'down'], false, ['127.0.0.1:80 -g -w 1']],
    ],
  ],
  [
    'two lines for one entry, quiescent=yes',
    { reals: ['192.0.2.20:81 gate 1', '192.0.2.20:82 gate 5'], quiescent: true },
    [
      [['up', 'down'], false, ['192.0.2.20:80 -g -w 1']],
      [['down', 'down'], false, ['192.0.2.20:80 -g -w 0']],
    ],
  ],
  [
    'a fallback that is a real of the pool (D18)',
    { reals: ['192.0.2.20:80 gate 4', B], fallback: '192.0.2.20:80 gate' },
    [
      [['up', 'up'], false, ['192.0.2.20:80 -g -w 4', '192.0.2.21:80 -m -w 2']],
      [['down', 'up'], false, ['192.0.2.21:80 -m -w 2']],
      [['up', 'down'], true, ['192.0.2.20:80 -g -w 4']],
      [['down', 'down'], false, ['192.0.2.20:80 -g -w 1']],
    ],
  ],
  [
    'a fallback that is a real of the pool, quiescent=yes (D18)',
    { reals: ['192.0.2.20:80 masq 4', B], fallback: '192.0.2.20:80 gate', quiescent: true },
    [
      [['down', 'up'], false, ['192.0.2.20:80 -m -w 0', '192.0.2.21:80 -m -w 2']],
      [['pending', 'down'], true, ['192.0.2.20:80 -g -w 1', '192.0.2.21:80 -m -w 0']],
      [['down', 'down'], false, ['192.0.2.20:80 -g -w 1', '192.0.2.21:80 -m -w 0']],
    ],
  ],
  [
    'a name without an address: down, and no entry',
    { reals: ['unresolved', B], fallback: F, quiescent: true },
    [
      [['pending', 'up'], false, ['192.0.2.21:80 -m -w 2']],
      [['pending', 'down'], false, ['192.0.2.21:80 -m -w 0', '127.0.0.1:80 -g -w 1']],
    ],
  ],
  ['a fallback without an address', { reals: [A], fallback: 'unresolved' }, [[['down'], false, []]]],
  [
    'checktype=off: what the table had at start, absent is down',
    { reals: ['192.0.2.20:80 masq 1 off', '192.0.2.21:80 masq 1 off'], fallback: F },
    [
      [['up', 'down'], false, ['192.0.2.20:80 -m -w 1']],
      [['down', 'down'], false, ['127.0.0.1:80 -g -w 1']],
    ],
  ],
  [
    'a firewall mark with the global fallback (D12)',
    { id: mark(5), reals: ['192.0.2.20:0 gate 1'], fallback: '192.0.2.99:0 gate' },
    [
      [['up'], false, ['192.0.2.20:0 -g -w 1']],
      [['down'], false, ['192.0.2.99:0 -g -w 1']],
    ],
  ],
  [
    'IPv6',
    { id: address('[2001:db8::10]:80'), reals: ['[2001:db8::20]:80 gate 2'], fallback: '[::1]:80 gate' },
    [
      [['up'], false, ['[2001:db8::20]:80 -g -w 2']],
      [['down'], false, ['[::1]:80 -g -w 1']],
    ],
  ],
]

describe('The desired table', () => {
  for (const [name, situation, steps] of lives) {
    describe(name, () => {
      for (const [states, serving, expected] of steps) {
        const when = `${states.join(', ') || 'nothing'}${serving ? ', fallback serving' : ''}`
        it(`${when}: ${expected.join(' and ') || 'empty'}`, () => {
          assert.deepEqual(entries(virtual(situation), { states, serving }).sort(), [...expected].sort())
        })
      }
    })
  }

  it('keeps the thresholds of an entry that takes no traffic', () => {
    const of = virtual({ reals: ['192.0.2.20:80 masq 3 x10 y5'], quiescent: true })
    const [entry] =
      desired(known(of, { states: ['down'] }))
        .table.get(of.key)
        ?.destinations.values() ?? []
    assert.deepEqual([entry?.weight, entry?.upper, entry?.lower], [0, 10, 5])
  })
  it('has every virtual service whole, with its settings, in file order', () => {
    const settled = settings({ scheduler: 'sh', schedulerFlags: 8, persistence: { timeoutSeconds: 9, netmask: '64' } })
    const one = { ...virtual({ reals: [A] }), settings: settled }
    const two = virtual({ id: mark(7, 6), reals: [] })
    const both = { ...known(one, { states: ['up'] }), virtuals: [two, one] }
    const { table } = desired(both)
    assert.deepEqual([...table.keys()], ['fwm6:7', 'tcp:192.0.2.10:80'])
    const { destinations, id, ...rest } = table.get(one.key) ?? assert.fail()
    assert.deepEqual([id, rest, destinations.size], [one.id, settled, 1])
  })
  it('says of each entry whom it stands for, and of each that is left out why', () => {
    const of = virtual({ reals: [A, B, '192.0.2.22:80 masq 1'], fallback: F })
    const result = desired(known(of, { states: ['up', 'down', 'held'] }))
    const told = (roles: ReadonlyMap<ServiceKey, ReadonlyMap<string, Role>>): unknown[] =>
      [...(roles.get(of.key) ?? [])].map(([key, role]) => [key, role.kind, role.state, role.reason])
    assert.deepEqual(told(result.roles), [['192.0.2.20:80', 'real', 'up', 'up']])
    assert.deepEqual(told(result.absent), [
      ['192.0.2.21:80', 'real', 'absent', 'down'],
      ['192.0.2.22:80', 'real', 'absent', 'in maintenance: file a'],
      ['127.0.0.1:80', 'fallback', 'absent', 'a real server is up'],
    ])
  })
  it('gives the detail of the last check as the reason', () => {
    const of = virtual({ reals: [A] })
    const [real] = of.reals
    assert.ok(real !== undefined)
    const last = {
      result: { verdict: 'down', reason: 'refused', detail: 'connection refused' },
      at: 0,
      durationMs: 1,
    } as const
    const health: Health = { state: 'down', since: 0, failures: 1, successes: 0, last }
    const result = desired({ ...known(of, { states: [] }), health: new Map([[realKeyOf(of, real), health]]) })
    assert.equal(result.absent.get(of.key)?.get('192.0.2.20:80' as never)?.reason, 'connection refused')
  })
  it('takes a real server of which nothing is known as pending', () => {
    const of = virtual({ reals: [A], fallback: F })
    const result = desired({ virtuals: [of], health: new Map(), maintenance: new Map(), fallbackInForce: new Set() })
    assert.equal(result.table.get(serviceKeyOf(web))?.destinations.size, 0)
  })
  it('does not mix up one real server in two virtual services (D6)', () => {
    const other = virtual({ id: address('192.0.2.11:80'), reals: [A] })
    const of = virtual({ reals: [A] })
    const health = new Map([...known(of, { states: ['down'] }).health, ...known(other, { states: ['up'] }).health])
    const { table } = desired({ ...known(of, { states: [] }), virtuals: [of, other], health })
    assert.deepEqual(
      [...table.values()].map((one) => one.destinations.size),
      [0, 1],
    )
  })
  it('says why a fallback serves', () => {
    const fallback: Fallback = fallbackOf(F)
    const of = { ...virtual({ reals: [] }), fallback }
    const role = desired(known(of, { states: [] }))
      .roles.get(of.key)
      ?.get('127.0.0.1:80' as never)
    assert.deepEqual(role, {
      kind: 'fallback',
      host: '127.0.0.1',
      state: 'in',
      reason: '192.0.2.10:80 has no real servers',
    })
  })
})
