import assert from 'node:assert/strict'
import { type Config, type Globals, type Real, type RealKey, realKeyOf, type Virtual } from '../../src/config/model.ts'
import { refusalOf } from '../../src/control/guard.ts'
import { adoptedHealth, pendingHealth } from '../../src/health/initial.ts'
import type { Health } from '../../src/health/machine.ts'
import { configOf, createStage, type VirtualParts, virtual } from './stage.ts'

const at8080 = { kind: 'address', protocol: 'tcp', family: 4, address: '192.0.2.1', port: 8080 } as const
const { real } = createStage()
const a = real('10.0.0.1')
const b = real('10.0.0.2')
const c = real('10.0.0.3')
const downHealth: Health = { ...pendingHealth(0), state: 'down' }

const config = (virtuals: readonly Virtual[], globals: Partial<Globals> = {}): Config => configOf(virtuals, globals)
const one = (...reals: readonly Real[]): Virtual => virtual({ reals })
const other = (parts: VirtualParts = {}): Virtual => virtual({ id: at8080, ...parts })

/** Everything is up but what is named. */
function healthOf(of: Config, not: Readonly<Record<string, Health>> = {}): Map<RealKey, Health> {
  return new Map(
    of.virtuals.flatMap((v) =>
      v.reals.map((r): [RealKey, Health] => [realKeyOf(v, r), not[r.host] ?? adoptedHealth(0)]),
    ),
  )
}

interface Case {
  readonly what: string
  readonly running: Config
  readonly next: Config
  readonly health?: Readonly<Record<string, Health>>
  readonly held?: readonly Real[]
  readonly refused?: { readonly reasons: readonly string[]; readonly plan: readonly string[] }
}

const none = (names: string): string =>
  `192.0.2.1:80 would be left with none of its real servers that are up (${names})`

const cases: readonly Case[] = [
  { what: 'the same file', running: config([one(a, b)]), next: config([one(a, b)]) },
  { what: 'one of two real servers removed', running: config([one(a, b)]), next: config([one(b)]) },
  {
    what: 'all real servers that are up replaced by new ones',
    running: config([one(a, b)]),
    next: config([one(c)]),
    refused: {
      reasons: [none('10.0.0.1:80, 10.0.0.2:80')],
      plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80', '-d -t 192.0.2.1:80 -r 10.0.0.2:80'],
    },
  },
  {
    what: 'only the one that is down kept',
    running: config([one(a, b)]),
    next: config([one(b)]),
    health: { '10.0.0.2': downHealth },
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'only the one kept that waits for its first check',
    running: config([one(a, b)]),
    next: config([one(b)]),
    health: { '10.0.0.2': pendingHealth(0) },
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'only the one kept that the operator holds out',
    running: config([one(a, b)]),
    next: config([one(b)]),
    held: [b],
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'only the one kept that has weight 0 and gets no traffic',
    running: config([one(a, { ...b, weight: 0 })]),
    next: config([one({ ...b, weight: 0 })]),
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'weight 0 for all, which is said plainly',
    running: config([one(a)]),
    next: config([one({ ...a, weight: 0 })]),
  },
  {
    what: 'nothing that serves: all are down',
    running: config([one(a, b)]),
    next: config([one(c)]),
    health: { '10.0.0.1': downHealth, '10.0.0.2': downHealth },
  },
  {
    what: 'another check of the same address and port, which serves on',
    running: config([one(a)]),
    next: config([one(real('10.0.0.1', { check: 'https' }))]),
  },
  {
    what: 'another forwarding method of the same address and port',
    running: config([one(a)]),
    next: config([one(real('10.0.0.1', { forwarding: 'gate' }))]),
  },
  {
    what: 'another port of the same address',
    running: config([one(a)]),
    next: config([one({ ...a, port: 81, effectivePort: 81 })]),
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'a name in place of the address that has none yet',
    running: config([one(a)]),
    next: config([one({ ...a, host: 'web1', address: undefined, checking: { kind: 'unresolved', detail: 'no' } })]),
    refused: { reasons: [none('10.0.0.1:80')], plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80'] },
  },
  {
    what: 'a whole virtual service removed, an ordinary edit',
    running: config([one(a), other({ reals: [b] })]),
    next: config([other({ reals: [b] })]),
  },
  {
    what: 'a virtual service without real servers that served, and one removed: the plan has both',
    running: config([one(a), other({ reals: [b] })]),
    next: config([one()]),
    refused: {
      reasons: [none('10.0.0.1:80')],
      plan: ['-d -t 192.0.2.1:80 -r 10.0.0.1:80', '-D -t 192.0.2.1:8080'],
    },
  },
  {
    what: 'no virtual service at all',
    running: config([one(a), other()]),
    next: config([]),
    refused: {
      reasons: ['no virtual service is named, and 2 are served'],
      plan: ['-D -t 192.0.2.1:80', '-D -t 192.0.2.1:8080'],
    },
  },
  { what: 'no virtual service where there was none', running: config([]), next: config([]) },
  {
    what: 'anything, where the file in force has no guard',
    running: config([one(a)], { reloadGuard: false }),
    next: config([]),
  },
  {
    what: 'anything that says itself that no guard is wanted',
    running: config([one(a)]),
    next: config([one(c)], { reloadGuard: false }),
  },
]

describe('The guard of a reload', () => {
  for (const { what, running, next, health, held = [], refused } of cases) {
    it(`${refused === undefined ? 'lets through' : 'refuses'} ${what}`, () => {
      const holds = new Map(running.virtuals.flatMap((v) => held.map((r) => [realKeyOf(v, r), {}] as const)))
      assert.deepEqual(refusalOf({ running, next, health: healthOf(running, health), holds }), refused)
    })
  }
})
