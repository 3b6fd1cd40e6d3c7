import assert from 'node:assert/strict'
import type { Checking, Real, RealKey, Virtual } from '../../src/config/model.ts'
import { adoptedHealth, initialHealth, pendingHealth } from '../../src/health/initial.ts'
import type { Health } from '../../src/health/machine.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import { down, up } from '../../src/model/verdict.ts'
import { defaultVirtual } from '../config/defaults.ts'
import { fakeProbe, key } from './fakes.ts'

const at = { file: 'x.cf', line: 1, column: 1, length: 1 }
const probe = fakeProbe('p', async () => up(''))
const kinds = {
  probe: { kind: 'probe', probe },
  combined: { kind: 'combined', connects: 2, negotiate: probe, connect: probe },
  on: { kind: 'on' },
  off: { kind: 'off' },
  unresolved: { kind: 'unresolved', detail: 'web.test has no address' },
} as const satisfies Record<string, Checking>

function real(id: string, checking: Checking): Real {
  return {
    id,
    at,
    host: id,
    address: checking.kind === 'unresolved' ? undefined : '192.0.2.20',
    family: 4,
    port: 80,
    effectivePort: 80,
    forwarding: 'masq',
    weight: 1,
    upper: 0,
    lower: 0,
    checking,
  }
}

function virtual(address: string, reals: readonly Real[]): Virtual {
  const id = { kind: 'address', protocol: 'tcp', family: 4, address, port: 80 } as const
  return {
    id,
    key: serviceKeyOf(id),
    at,
    settings: { scheduler: 'wrr', schedulerFlags: 0, persistence: undefined, onePacket: false },
    reals,
    fallback: undefined,
    ...defaultVirtual,
    checkType: 'negotiate',
    service: 'http',
  }
}

const now = 7000
const fresh = (state: Health['state']): Health => ({ state, since: now, failures: 0, successes: 0 })
const unresolvedLast = { result: down('unreachable', 'web.test has no address'), at: now, durationMs: 0 }
const old = (state: Health['state']): Health => ({
  state,
  since: 1000,
  failures: 2,
  successes: 1,
  last: { result: up('then'), at: 6000, durationMs: 3 },
})

/** Kind of checking, in the table with weight, what was known before; what is to be known. */
const table: readonly (readonly [keyof typeof kinds, boolean, Health | undefined, Health])[] = [
  ['probe', true, undefined, fresh('up')],
  ['probe', false, undefined, fresh('pending')],
  ['combined', true, undefined, fresh('up')],
  ['combined', false, undefined, fresh('pending')],
  ['on', true, undefined, fresh('up')],
  ['on', false, undefined, fresh('up')],
  ['off', true, undefined, fresh('up')],
  ['off', false, undefined, fresh('down')],
  ['unresolved', true, undefined, { ...fresh('down'), last: unresolvedLast }],
  ['unresolved', false, undefined, { ...fresh('down'), last: unresolvedLast }],
  // Over a reload: what the table says no longer counts.
  ['probe', true, old('down'), old('down')],
  ['probe', false, old('up'), old('up')],
  ['probe', true, old('pending'), old('pending')],
  ['combined', true, old('down'), old('down')],
  ['on', false, old('up'), old('up')],
  ['on', false, old('down'), fresh('up')],
  ['off', true, old('down'), old('down')],
  ['off', false, old('up'), old('up')],
  ['off', true, old('pending'), fresh('up')],
  ['off', false, old('pending'), fresh('down')],
  ['unresolved', true, old('up'), { ...fresh('down'), last: unresolvedLast }],
  ['unresolved', true, old('down'), { ...old('down'), last: unresolvedLast }],
]

describe('the health before the first check', () => {
  for (const [kind, found, before, expected] of table) {
    const known = before === undefined ? 'at start' : `after a reload, ${before.state} before`
    it(`${kind}, ${found ? 'found in the table' : 'not found'}, ${known}: ${expected.state}`, () => {
      const one = virtual('192.0.2.1', [real('a', kinds[kind])])
      const previous = before === undefined ? undefined : new Map([[key('tcp:192.0.2.1:80 a'), before]])
      const health = initialHealth({
        virtuals: [one],
        found: () => found,
        now,
        ...(previous === undefined ? {} : { previous }),
      })
      assert.deepEqual([...health], [['tcp:192.0.2.1:80 a', expected]])
    })
  }

  /** initstate, kind, in the table with weight, what was known before; what is to be known. */
  const wished: readonly (readonly ['up' | 'down', keyof typeof kinds, boolean, Health | undefined, Health])[] = [
    ['up', 'probe', false, undefined, fresh('up')],
    ['up', 'off', false, undefined, fresh('up')],
    ['down', 'probe', true, undefined, { ...fresh('down'), successes: 2 }],
    ['down', 'combined', false, undefined, { ...fresh('down'), successes: 2 }],
    ['down', 'off', true, undefined, { ...fresh('down'), successes: 2 }],
    ['down', 'on', false, undefined, fresh('up')],
    ['up', 'unresolved', true, undefined, { ...fresh('down'), last: unresolvedLast }],
    // Over a reload it is for those that are new.
    ['down', 'probe', true, old('up'), old('up')],
    ['up', 'probe', false, old('down'), old('down')],
    ['up', 'probe', false, old('pending'), old('pending')],
  ]
  for (const [initState, kind, found, before, expected] of wished) {
    it(`initstate = ${initState}, ${kind}, ${found ? 'found' : 'not found'}, ${before?.state ?? 'new'}: ${expected.state}`, () => {
      const one = { ...virtual('192.0.2.1', [real('a', kinds[kind])]), initState, successCount: 3 }
      const previous = new Map(before === undefined ? [] : [[key('tcp:192.0.2.1:80 a'), before]])
      const health = initialHealth({ virtuals: [one], found: () => found, now, previous })
      assert.deepEqual([...health], [['tcp:192.0.2.1:80 a', expected]])
    })
  }

  it('is kept for each real in each virtual, in file order, and forgotten for those that left', () => {
    const a = real('a', kinds.probe)
    const b = real('b', kinds.probe)
    const virtuals = [virtual('192.0.2.2', [b, a]), virtual('192.0.2.1', [a])]
    const previous = new Map<RealKey, Health>([
      [key('tcp:192.0.2.1:80 a'), old('down')],
      [key('tcp:192.0.2.1:80 gone'), old('up')],
    ])
    const found = (v: Virtual, r: Real): boolean => v.key === 'tcp:192.0.2.2:80' && r.id === 'b'
    const health = initialHealth({ virtuals, found, previous, now })
    assert.deepEqual(
      [...health],
      [
        ['tcp:192.0.2.2:80 b', fresh('up')],
        ['tcp:192.0.2.2:80 a', fresh('pending')],
        ['tcp:192.0.2.1:80 a', old('down')],
      ],
    )
  })

  it('tells an adopted real from a verified one by its having no observation', () => {
    assert.deepEqual(adoptedHealth(5), { state: 'up', since: 5, failures: 0, successes: 0 })
    assert.deepEqual(pendingHealth(5), { state: 'pending', since: 5, failures: 0, successes: 0 })
  })
})
