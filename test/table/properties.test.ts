import assert from 'node:assert/strict'
import { createMemoryTable, type MemoryTable } from '../../src/backend/memory.ts'
import { type ServiceKey, serviceKeyOf } from '../../src/model/service.ts'
import { applyInOrder } from '../../src/table/apply.ts'
import type { Desired } from '../../src/table/desired.ts'
import { diff, nextApplied } from '../../src/table/diff.ts'
import { formatSaved } from '../../src/table/notation.ts'
import { type Applied, type DiffInput, emptyApplied } from '../../src/table/plan.ts'
import { keyed, never, observed } from './fixtures.ts'
import { seeded } from './random.ts'
import { randomTable } from './random-tables.ts'

const runs = 400

interface Situation {
  readonly memory: MemoryTable
  readonly desired: Desired
  readonly applied: Applied
}

function situationOf(seed: number): Situation {
  const random = seeded(seed)
  const memory = createMemoryTable()
  for (const one of randomTable(random)) memory.seed(observed(one))
  const desired = { table: keyed(randomTable(random)), roles: new Map(), absent: new Map() }
  return { memory, desired, applied: random.chance(0.5) ? keyed(randomTable(random)) : emptyApplied }
}

async function inputOf({ memory, desired, applied }: Situation, parts: Partial<DiffInput> = {}): Promise<DiffInput> {
  const ours = new Set<ServiceKey>([...desired.table.keys(), ...applied.keys()])
  const actual = await memory.read(ours, never)
  return { actual, desired, applied, mode: 'full', policy: { drift: 'report', readdQuiescent: false }, ...parts }
}

const savedOf = (memory: MemoryTable, keys: ReadonlySet<ServiceKey>): string =>
  formatSaved([...memory.services().values()].filter(({ id }) => keys.has(serviceKeyOf(id))))

function livePools(memory: MemoryTable): Set<ServiceKey> {
  const live = [...memory.services()].filter(([, one]) => [...one.destinations.values()].some((d) => d.weight > 0))
  return new Set(live.map(([key]) => key))
}

describe('For any tables', () => {
  it(`a full plan makes the kernel's table the desired one, and leaves nothing to do (${runs} cases)`, async () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const situation = situationOf(seed)
      const { memory, desired, applied } = situation
      const input = await inputOf(situation)
      const untouched = new Set([...memory.services().keys()].filter((k) => !desired.table.has(k) && !applied.has(k)))
      const others = savedOf(memory, untouched)
      const plan = diff(input)
      const outcomes = await applyInOrder(memory, plan, never)
      assert.deepEqual(
        outcomes.filter((o) => !o.ok),
        [],
        `seed ${seed}`,
      )
      assert.equal(savedOf(memory, new Set(desired.table.keys())), formatSaved(desired.table.values()), `seed ${seed}`)
      assert.equal(savedOf(memory, untouched), others, `seed ${seed}`)
      const next = nextApplied({ ...input, plan, outcomes })
      assert.deepEqual([...next.keys()].sort(), [...desired.table.keys()].sort(), `seed ${seed}`)
      const again = diff(await inputOf({ ...situation, applied: next }))
      assert.deepEqual([again.steps, again.drift], [[], []], `seed ${seed}`)
      const running = diff(await inputOf({ ...situation, applied: next }, { mode: 'running' }))
      assert.deepEqual([running.steps, running.drift], [[], []], `seed ${seed}`)
    }
  })
  it(`repair while running does the same (${runs} cases)`, async () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const situation = situationOf(seed)
      const input = await inputOf(situation, { mode: 'running', policy: { drift: 'repair', readdQuiescent: true } })
      await applyInOrder(situation.memory, diff(input), never)
      const { table } = situation.desired
      assert.equal(savedOf(situation.memory, new Set(table.keys())), formatSaved(table.values()), `seed ${seed}`)
    }
  })
  it(`no pool that is live before and after a plan is empty at any moment of it (${runs} cases)`, async () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const situation = situationOf(seed)
      const plan = diff(await inputOf(situation))
      const before = livePools(situation.memory)
      const moments: Set<ServiceKey>[] = []
      for (const { operation } of plan.steps) {
        await situation.memory.apply([operation], never)
        moments.push(livePools(situation.memory))
      }
      const after = livePools(situation.memory)
      const steady = [...before].filter((key) => after.has(key))
      for (const [index, live] of moments.entries()) {
        for (const key of steady) assert.ok(live.has(key), `seed ${seed}: ${key} is empty after step ${index}`)
      }
    }
  })
  it(`with any refusals, no pool that was live becomes empty by our removals alone (${runs} cases)`, async () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const situation = situationOf(seed)
      const random = seeded(seed * 7919)
      const { memory, desired } = situation
      const plan = diff(await inputOf(situation))
      const before = livePools(memory)
      const brought = new Set(plan.steps.filter(bringsWeight).map((step) => step.virtual))
      const flaky: MemoryTable = {
        ...memory,
        apply: async (operations, signal) => {
          const sound = operations.filter((operation) => operation.kind !== 'add-destination' || random.chance(0.5))
          const answers = await memory.apply(sound, signal)
          const refused = await createMemoryTable().apply(operations, signal)
          return operations.map(
            (operation, index) => answers.find((a) => a.operation === operation) ?? refused[index] ?? assert.fail(),
          )
        },
      }
      await applyInOrder(flaky, plan, never)
      const after = livePools(memory)
      for (const key of before) {
        // Entries may be set to weight 0 by a check's verdict; only what removals do is looked at here.
        const drained = plan.steps.some((step) => step.virtual === key && setsToZero(step))
        if (desired.table.has(key) && brought.has(key) && !drained) assert.ok(after.has(key), `seed ${seed}: ${key}`)
      }
    }
  })
})

type AnyStep = ReturnType<typeof diff>['steps'][number]

function bringsWeight({ operation }: AnyStep): boolean {
  return 'destination' in operation && 'weight' in operation.destination && operation.destination.weight > 0
}

function setsToZero({ operation }: AnyStep): boolean {
  return operation.kind === 'edit-destination' && operation.destination.weight === 0
}
