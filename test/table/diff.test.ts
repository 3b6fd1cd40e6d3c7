import assert from 'node:assert/strict'
import { type Real, realKeyOf } from '../../src/config/model.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import type { DestinationKey, ServiceSettings, VirtualService } from '../../src/model/table.ts'
import type { Desired, Role } from '../../src/table/desired.ts'
import { diff, needsSecondRead, nextApplied, samePlan } from '../../src/table/diff.ts'
import { formatOperation } from '../../src/table/notation.ts'
import { type ObservedTable, type Outcome, TableError } from '../../src/table/operation.ts'
import { type Applied, type DiffInput, emptyApplied } from '../../src/table/plan.ts'
import { address, keyed, mark, observed, service } from './fixtures.ts'
import { realOf } from './virtuals.ts'

const web = address('192.0.2.10:80')
const other = mark(5)
const key = serviceKeyOf(web)

type Entries = readonly string[] | undefined
type Settings = Partial<ServiceSettings>

interface Cell {
  readonly name: string
  /** Entries of the one service; undefined: the service is not there. */
  readonly actual: Entries
  readonly wanted: Entries
  readonly applied: Entries
  readonly settings?: { readonly actual?: Settings; readonly wanted?: Settings; readonly applied?: Settings }
  readonly full?: boolean
  readonly repair?: boolean
  readonly readd?: boolean
  /** The cause and the operation of each step. */
  readonly steps: readonly string[]
  readonly drift?: readonly string[]
}

const S = '-t 192.0.2.10:80'
const A = '192.0.2.20:80 masq 3'
const A0 = '192.0.2.20:80 masq 0'
const B = '192.0.2.21:80 masq 1'

const cells: readonly Cell[] = [
  { name: 'nothing to do', actual: [A], wanted: [A], applied: [A], steps: [] },
  { name: 'nothing to do at start', actual: [A], wanted: [A], applied: undefined, full: true, steps: [] },
  // The service.
  {
    name: 'a service that was never there, at start',
    actual: undefined,
    wanted: [A],
    applied: undefined,
    full: true,
    steps: [`start -A ${S} -s wrr`, `start -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'a service that was never there, while running',
    actual: undefined,
    wanted: [A],
    applied: undefined,
    steps: [`config -A ${S} -s wrr`, `config -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'a service that others removed: whole again, though drift is only reported (D17)',
    actual: undefined,
    wanted: [A, B],
    applied: [A, B],
    steps: [
      `restore -A ${S} -s wrr`,
      `restore -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`,
      `restore -a ${S} -r 192.0.2.21:80 -m -w 1 -x 0 -y 0`,
    ],
  },
  {
    name: 'a quiesced entry comes back with its service, readdquiescent=no',
    actual: undefined,
    wanted: [A0],
    applied: [A],
    steps: [`restore -A ${S} -s wrr`, `restore -a ${S} -r 192.0.2.20:80 -m -w 0 -x 0 -y 0`],
  },
  {
    name: 'settings that others changed: left',
    actual: [A],
    wanted: [A],
    applied: [A],
    settings: { actual: { scheduler: 'rr' } },
    steps: [],
    drift: ['192.0.2.10:80 has scheduler rr instead of wrr'],
  },
  {
    name: 'settings that others changed: put back by repair',
    actual: [A],
    wanted: [A],
    applied: [A],
    settings: { actual: { scheduler: 'rr' } },
    repair: true,
    steps: [`repair -E ${S} -s wrr`],
  },
  {
    name: 'settings that others changed: put back at start and reload',
    actual: [A],
    wanted: [A],
    applied: [A],
    settings: { actual: { scheduler: 'rr' } },
    full: true,
    steps: [`start -E ${S} -s wrr`],
  },
  {
    name: 'settings that the file changed',
    actual: [A],
    wanted: [A],
    applied: [A],
    settings: { wanted: { persistence: { timeoutSeconds: 60, netmask: '255.255.255.0' } } },
    steps: [`config -E ${S} -s wrr -p 60 -M 255.255.255.0`],
  },
  {
    name: 'settings of which we know nothing yet',
    actual: [A],
    wanted: [A],
    applied: undefined,
    settings: { actual: { onePacket: true } },
    steps: [`config -E ${S} -s wrr`],
  },
  {
    name: 'a netmask that is the default, written or not',
    actual: [A],
    wanted: [A],
    applied: [A],
    settings: {
      actual: { persistence: { timeoutSeconds: 60, netmask: '255.255.255.255' } },
      wanted: { persistence: { timeoutSeconds: 60, netmask: '' } },
    },
    full: true,
    steps: [],
  },
  // Wanted and missing.
  {
    name: 'an entry that was never written',
    actual: [],
    wanted: [A],
    applied: [],
    steps: [`state -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'a quiesced entry that was never written',
    actual: [],
    wanted: [A0],
    applied: [],
    steps: [`state -a ${S} -r 192.0.2.20:80 -m -w 0 -x 0 -y 0`],
  },
  {
    name: 'an entry that others deleted: left',
    actual: [],
    wanted: [A],
    applied: [A],
    steps: [],
    drift: ['192.0.2.10:80 lacks 192.0.2.20:80'],
  },
  {
    name: 'an entry that others deleted: put back by repair',
    actual: [],
    wanted: [A],
    applied: [A],
    repair: true,
    steps: [`repair -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'an entry that others deleted: put back at reload',
    actual: [],
    wanted: [A],
    applied: [A],
    full: true,
    steps: [`start -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'an entry that others deleted while it was quiesced, and that is up now',
    actual: [],
    wanted: [A],
    applied: [A0],
    steps: [`state -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'an entry that others deleted, and that goes down, readdquiescent=no: left absent',
    actual: [],
    wanted: [A0],
    applied: [A],
    steps: [],
  },
  {
    name: 'an entry that others deleted, and that goes down, readdquiescent=yes: put in',
    actual: [],
    wanted: [A0],
    applied: [A],
    readd: true,
    steps: [`repair -a ${S} -r 192.0.2.20:80 -m -w 0 -x 0 -y 0`],
  },
  {
    name: 'a quiesced entry that others deleted while it is down: left, also with readdquiescent=yes',
    actual: [],
    wanted: [A0],
    applied: [A0],
    readd: true,
    steps: [],
    drift: ['192.0.2.10:80 lacks 192.0.2.20:80'],
  },
  // Present and different.
  {
    name: 'a weight that others changed: left',
    actual: [A0],
    wanted: [A],
    applied: [A],
    steps: [],
    drift: ['192.0.2.10:80 has 192.0.2.20:80 with weight 0 instead of 3'],
  },
  {
    name: 'a weight that others changed: put back by repair',
    actual: [A0],
    wanted: [A],
    applied: [A],
    repair: true,
    steps: [`repair -e ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'a weight that others changed: put back at reload',
    actual: ['192.0.2.20:80 masq 7'],
    wanted: [A],
    applied: [A],
    full: true,
    steps: [`start -e ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`],
  },
  {
    name: 'a real server that goes down, quiescent=yes',
    actual: [A],
    wanted: [A0],
    applied: [A],
    steps: [`state -e ${S} -r 192.0.2.20:80 -m -w 0 -x 0 -y 0`],
  },
  {
    name: 'a real server that goes down where others set the weight 0 already',
    actual: [A0],
    wanted: [A0],
    applied: [A],
    steps: [],
  },
  {
    name: 'a weight that others changed, and that the file changes too: the whole entry',
    actual: [A0],
    wanted: ['192.0.2.20:80 gate 9 x10'],
    applied: [A],
    steps: [`config -e ${S} -r 192.0.2.20:80 -g -w 9 -x 10 -y 0`],
  },
  {
    name: 'thresholds and method that differ, at start',
    actual: ['192.0.2.20:80 gate 3 x9'],
    wanted: ['192.0.2.20:80 masq 3 x10 y5'],
    applied: undefined,
    full: true,
    steps: [`start -e ${S} -r 192.0.2.20:80 -m -w 3 -x 10 -y 5`],
  },
  // There and not wanted.
  {
    name: 'a real server that goes down, quiescent=no, or left the file',
    actual: [A, B],
    wanted: [A],
    applied: [A, B],
    steps: [`gone -d ${S} -r 192.0.2.21:80`],
  },
  {
    name: 'an entry that others added: left',
    actual: [A, B],
    wanted: [A],
    applied: [A],
    steps: [],
    drift: ['192.0.2.10:80 has 192.0.2.21:80 with weight 1, which is not ours'],
  },
  {
    name: 'an entry that others added: taken out by repair',
    actual: [A, B],
    wanted: [A],
    applied: [A],
    repair: true,
    steps: [`foreign -d ${S} -r 192.0.2.21:80`],
  },
  {
    name: 'an entry that others added: purged at start and reload',
    actual: [A, B],
    wanted: [A],
    applied: undefined,
    full: true,
    steps: [`foreign -d ${S} -r 192.0.2.21:80`],
  },
  // Swaps and departures.
  {
    name: 'the last real server for the fallback: the fallback first',
    actual: [A],
    wanted: ['127.0.0.1:80 gate 1'],
    applied: [A],
    steps: [`state -a ${S} -r 127.0.0.1:80 -g -w 1 -x 0 -y 0`, `gone -d ${S} -r 192.0.2.20:80`],
  },
  {
    name: 'weights that change places: up before down',
    actual: [A, '192.0.2.21:80 masq 0'],
    wanted: [A0, B],
    applied: [A, '192.0.2.21:80 masq 0'],
    steps: [`state -e ${S} -r 192.0.2.21:80 -m -w 1 -x 0 -y 0`, `state -e ${S} -r 192.0.2.20:80 -m -w 0 -x 0 -y 0`],
  },
  { name: 'a service that left the file', actual: [A], wanted: undefined, applied: [A], steps: [`gone -D ${S}`] },
  { name: "others' service", actual: [A], wanted: undefined, applied: undefined, full: true, repair: true, steps: [] },
  { name: 'a service that left the file and the table', actual: undefined, wanted: undefined, applied: [A], steps: [] },
  {
    name: 'addresses in the order of their numbers, reals by address, adds before deletes',
    actual: ['192.0.2.3:80', '192.0.2.11:80'],
    wanted: ['192.0.2.100:80', '192.0.2.20:8080', '192.0.2.20:80'],
    applied: ['192.0.2.3:80', '192.0.2.11:80'],
    steps: [
      `state -a ${S} -r 192.0.2.20:80 -m -w 1 -x 0 -y 0`,
      `state -a ${S} -r 192.0.2.20:8080 -m -w 1 -x 0 -y 0`,
      `state -a ${S} -r 192.0.2.100:80 -m -w 1 -x 0 -y 0`,
      `gone -d ${S} -r 192.0.2.3:80`,
      `gone -d ${S} -r 192.0.2.11:80`,
    ],
  },
]

function tableOf(services: readonly VirtualService[]): ObservedTable {
  const all = keyed(services.map((one) => observed(one)))
  return { services: all, keys: new Set(all.keys()) }
}

const one = (entries: Entries, parts: Settings = {}): VirtualService[] =>
  entries === undefined ? [] : [service(web, entries, parts)]

/** An entry of weight 0 is one that a check took out. */
function desiredOf(services: readonly VirtualService[], absent: readonly string[] = []): Desired {
  const table = keyed(services)
  const roleOf = (real: Real, state: 'up' | 'quiesced' | 'absent'): Role => {
    return { kind: 'real', key: realKeyOf({ key }, real), real, state, reason: `it is ${state}` }
  }
  const roles = [...table].map(([at, { destinations }]) => {
    const each = [...destinations].map(([entry, { weight }]) => {
      return [entry, roleOf(realOf('192.0.2.1:80'), weight > 0 ? 'up' : 'quiesced')] as const
    })
    return [at, new Map<DestinationKey, Role>(each)] as const
  })
  const left = absent.map((at) => [at as DestinationKey, roleOf(realOf('192.0.2.1:80'), 'absent')] as const)
  return { table, roles: new Map(roles), absent: new Map([[key, new Map(left)]]) }
}

function inputOf(cell: Cell): DiffInput {
  const { settings: parts = {} } = cell
  const wanted = parts.wanted ?? {}
  return {
    actual: tableOf(one(cell.actual, { ...(cell.settings?.wanted ? {} : wanted), ...parts.actual })),
    desired: desiredOf(one(cell.wanted, wanted)),
    applied: keyed(one(cell.applied, parts.applied ?? {})),
    mode: cell.full ? 'full' : 'running',
    policy: { drift: cell.repair ? 'repair' : 'report', readdQuiescent: cell.readd ?? false },
  }
}

const stepsOf = (input: DiffInput): string[] =>
  diff(input).steps.map(({ cause, operation }) => `${cause} ${formatOperation(operation)}`)

describe('The difference of two tables', () => {
  for (const cell of cells) {
    const mode = [cell.full ? 'full' : 'running', cell.repair ? 'repair' : 'report'].join(', ')
    it(`${cell.name} (${mode})`, () => {
      const plan = diff(inputOf(cell))
      assert.deepEqual(
        { steps: stepsOf(inputOf(cell)), drift: plan.drift.map((d) => d.text) },
        { steps: cell.steps, drift: cell.drift ?? [] },
      )
    })
  }

  it('takes a method that we cannot say as a difference', () => {
    const actual = tableOf(one([A]))
    const [found] = actual.services.get(key)?.destinations.values() ?? []
    Object.assign(found ?? assert.fail(), { forwarding: 'local' })
    const [step] = diff({ ...inputOf({ ...cells[0], name: '' } as Cell), actual, mode: 'full' }).steps
    assert.match(step?.reason ?? '', /^has forwarding local instead of masq/)
  })
  it('tells a state from a configuration by what is configured and left out', () => {
    const base = { actual: [A, B], wanted: [A], applied: [A, B], name: '', steps: [] }
    const [step] = diff({ ...inputOf(base), desired: desiredOf(one([A]), ['192.0.2.21:80']) }).steps
    assert.deepEqual([step?.cause, step?.role?.state, step?.reason], ['state', 'absent', 'it is absent'])
  })
  it('takes the mode service by service', () => {
    const services = [service(web, [A]), service(other, [A])]
    const changed = [service(web, [A0]), service(other, [A0])]
    const input = { ...inputOf(cells[0] as Cell), actual: tableOf(changed), applied: keyed(services) }
    const mode = (of: string): 'full' | 'running' => (of === 'fwm:5' ? 'full' : 'running')
    const plan = diff({ ...input, desired: desiredOf(services), mode })
    assert.deepEqual(
      [plan.steps.map((step) => step.virtual), plan.drift.map((d) => d.virtual)],
      [['fwm:5'], ['tcp:192.0.2.10:80']],
    )
  })
  it('orders services by the file: adds of all before deletes of any', () => {
    const wanted = desiredOf([service(other, [B]), service(web, [B])])
    const actual = tableOf([service(web, [A])])
    const gone = mark(9)
    const keys = new Set([...actual.keys, serviceKeyOf(gone)])
    const applied = keyed([service(web, [A]), service(gone, [])])
    const input = { ...inputOf(cells[0] as Cell), desired: wanted, applied, actual: { ...actual, keys } }
    assert.deepEqual(stepsOf(input), [
      'config -A -f 5 -s wrr',
      'config -a -f 5 -r 192.0.2.21:80 -m -w 1 -x 0 -y 0',
      'state -a -t 192.0.2.10:80 -r 192.0.2.21:80 -m -w 1 -x 0 -y 0',
      'gone -d -t 192.0.2.10:80 -r 192.0.2.20:80',
      'gone -D -f 9',
    ])
  })
})

describe('A second look', () => {
  const wants = (parts: Partial<Cell>): boolean =>
    needsSecondRead(diff(inputOf({ name: '', actual: [A], wanted: [A], applied: [A], steps: [], ...parts })))

  it('is taken for deletes and for adds of what was there, not for edits and new entries', () => {
    const looks = {
      nothing: wants({}),
      edit: wants({ wanted: [A0] }),
      'new entry': wants({ wanted: [A, B] }),
      'new service': wants({ actual: undefined, applied: undefined }),
      delete: wants({ wanted: [] }),
      'delete of a service': wants({ wanted: undefined }),
      'lost entry': wants({ actual: [], repair: true }),
      'lost service': wants({ actual: undefined }),
    }
    assert.deepEqual(
      Object.entries(looks)
        .filter(([, look]) => look)
        .map(([name]) => name),
      ['delete', 'delete of a service', 'lost entry', 'lost service'],
    )
  })
  it('agrees when the operations are the same, whatever was left', () => {
    const plan = (actual: Entries): ReturnType<typeof diff> =>
      diff(inputOf({ name: '', actual, wanted: [A], applied: [A, B], steps: [] }))
    assert.equal(samePlan(plan([A, B]), plan([A, B, '192.0.2.99:80 masq 1'])), true)
    assert.equal(samePlan(plan([A, B]), plan([A])), false)
  })
})

describe('What counts as written', () => {
  const written = (cell: Partial<Cell>, answers: (string | undefined)[] = []): Applied => {
    const input = inputOf({ name: '', actual: [A], wanted: [A], applied: [A], steps: [], ...cell })
    const plan = diff(input)
    const outcomes = plan.steps.map(({ operation }, index): Outcome => {
      const code = answers[index]
      return code === undefined ? { operation, ok: true } : { operation, ok: false, error: new TableError(code, code) }
    })
    return nextApplied({ ...input, plan, outcomes })
  }
  const shown = (applied: Applied): unknown =>
    [...applied].map(([at, { scheduler, destinations }]) => [
      at,
      scheduler,
      [...destinations].map(([entry, { weight }]) => `${entry} ${weight}`),
    ])
  const holds = (applied: Applied, ...entries: string[]): void =>
    assert.deepEqual(shown(applied), [[key, 'wrr', entries]])

  it('what was found as it is wanted', () => holds(written({ applied: undefined }), '192.0.2.20:80 3'))
  it('what was taken', () => holds(written({ wanted: [A0, B] }), '192.0.2.20:80 0', '192.0.2.21:80 1'))
  it('what others changed and was left', () => holds(written({ actual: [A0] }), '192.0.2.20:80 3'))
  it('what others deleted and was left', () => holds(written({ actual: [] }), '192.0.2.20:80 3'))
  it('not what was refused: it is tried again', () => {
    holds(written({ wanted: [A, B] }, ['EINVAL']), '192.0.2.20:80 3')
    holds(written({ wanted: [A0] }, ['EINVAL']))
  })
  it('a removal that was refused, still: it is tried again', () => {
    holds(written({ wanted: [] }, ['EPERM']), '192.0.2.20:80 3')
    holds(written({ wanted: [], applied: undefined, full: true }, ['EPERM']), '192.0.2.20:80 3')
    holds(written({ wanted: [] }, ['HELD']), '192.0.2.20:80 3')
  })
  it('not what was gone before us', () => {
    holds(written({ wanted: [] }, ['ENOENT']))
    assert.deepEqual(shown(written({ wanted: undefined }, ['ESRCH'])), [])
  })
  it('an entry that others added is never ours', () => holds(written({ actual: [A, B] }), '192.0.2.20:80 3'))
  it('not a service that could not be put in, nor one that left', () => {
    assert.deepEqual(shown(written({ actual: undefined }, ['ENOENT', 'ESRCH'])), [])
    assert.deepEqual(shown(written({ wanted: undefined })), [])
    holds(written({ wanted: undefined }, ['EPERM']), '192.0.2.20:80 3')
  })
  it('a change of settings that was refused, as it is found, so that it is tried again', () => {
    const settingsThere = { actual: { scheduler: 'rr' } }
    const applied = written({ settings: settingsThere, full: true }, ['ENOENT'])
    assert.deepEqual(shown(applied), [[key, 'rr', ['192.0.2.20:80 3']]])
  })
  it('nothing, to begin with', () => assert.equal(emptyApplied.size, 0))
  it('an entry that goes down while others had deleted it comes back when it is up', () => {
    const gone = written({ actual: [], wanted: [A0] })
    holds(gone, '192.0.2.20:80 0')
    const input = inputOf({ name: '', actual: [], wanted: [A], applied: [A0], steps: [] })
    assert.deepEqual(stepsOf({ ...input, applied: gone }), [`state -a ${S} -r 192.0.2.20:80 -m -w 3 -x 0 -y 0`])
  })
})
