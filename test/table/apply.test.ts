import assert from 'node:assert/strict'
import { createMemoryTable, type MemoryTable } from '../../src/backend/memory.ts'
import { serviceKeyOf } from '../../src/model/service.ts'
import type { VirtualService } from '../../src/model/table.ts'
import { applyInOrder } from '../../src/table/apply.ts'
import { diff } from '../../src/table/diff.ts'
import { formatSaved } from '../../src/table/notation.ts'
import { type Outcome, TableError } from '../../src/table/operation.ts'
import type { Plan } from '../../src/table/plan.ts'
import { address, keyed, mark, never, observed, service } from './fixtures.ts'

const web = address('192.0.2.10:80')
const other = mark(5)

async function planFor(memory: MemoryTable, before: VirtualService[], wanted: VirtualService[]): Promise<Plan> {
  for (const one of before) memory.seed(observed(one))
  const table = keyed(wanted)
  return diff({
    actual: await memory.read(new Set([...table.keys(), ...memory.services().keys()]), never),
    desired: { table, roles: new Map(), absent: new Map() },
    applied: keyed(before),
    mode: 'running',
    policy: { drift: 'report', readdQuiescent: false },
  })
}

const codes = (outcomes: readonly Outcome[]): string[] => outcomes.map((o) => (o.ok ? 'ok' : o.error.code))
const saved = (memory: MemoryTable): string[] =>
  formatSaved(memory.services().values())
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('-a'))

const refusing = '224.0.0.1:80 masq 1'

describe('Sending a plan', () => {
  it('sends adds and edits in one batch, removals in another', async () => {
    const memory = createMemoryTable()
    const plan = await planFor(memory, [service(web, ['192.0.2.20:80'])], [service(web, ['192.0.2.21:80'])])
    const batches: string[][] = []
    const spy: MemoryTable = {
      ...memory,
      apply: (operations, signal) => {
        batches.push(operations.map((operation) => operation.kind))
        return memory.apply(operations, signal)
      },
    }
    assert.deepEqual(codes(await applyInOrder(spy, plan, never)), ['ok', 'ok'])
    assert.deepEqual(batches, [['add-destination'], ['delete-destination']])
  })
  it('sends nothing for an empty plan', async () => {
    const memory = createMemoryTable()
    const silent: MemoryTable = { ...memory, apply: () => assert.fail('nothing was to be sent') }
    assert.deepEqual(await applyInOrder(silent, { steps: [], drift: [], standing: new Set() }, never), [])
  })
  it('holds the removals of a pool whose only successor was refused, and of no other', async () => {
    const memory = createMemoryTable()
    const before = [service(web, ['192.0.2.20:80']), service(other, ['192.0.2.20:80'])]
    const wanted = [service(web, [refusing]), service(other, ['192.0.2.21:80'])]
    const outcomes = await applyInOrder(memory, await planFor(memory, before, wanted), never)
    assert.deepEqual(codes(outcomes), ['EINVAL', 'ok', 'HELD', 'ok'])
    assert.deepEqual(saved(memory), [
      '-a -t 192.0.2.10:80 -r 192.0.2.20:80 -m -w 1',
      '-a -f 5 -r 192.0.2.21:80 -m -w 1',
    ])
    const held = outcomes[2]
    assert.match(held?.ok === false ? held.error.message : '', /^192\.0\.2\.20:80 stays: /)
  })
  it('removes a dead real server although another cannot be put in, while one stands', async () => {
    const memory = createMemoryTable()
    const before = [service(web, ['192.0.2.20:80', '192.0.2.21:80'])]
    const plan = await planFor(memory, before, [service(web, ['192.0.2.21:80', refusing])])
    assert.deepEqual(codes(await applyInOrder(memory, plan, never)), ['EINVAL', 'ok'])
    assert.deepEqual(saved(memory), ['-a -t 192.0.2.10:80 -r 192.0.2.21:80 -m -w 1'])
  })
  it('removes when one successor of two was taken', async () => {
    const memory = createMemoryTable()
    const wanted = [service(web, ['192.0.2.22:80', refusing])]
    const plan = await planFor(memory, [service(web, ['192.0.2.20:80'])], wanted)
    assert.deepEqual(codes(await applyInOrder(memory, plan, never)), ['ok', 'EINVAL', 'ok'])
  })
  it('does not take an entry without weight for a successor', async () => {
    const memory = createMemoryTable()
    const wanted = [service(web, ['192.0.2.22:80 masq 0', refusing])]
    const plan = await planFor(memory, [service(web, ['192.0.2.20:80'])], wanted)
    assert.deepEqual(codes(await applyInOrder(memory, plan, never)), ['ok', 'EINVAL', 'HELD'])
  })
  it('removes a service that left, whatever became of the others', async () => {
    const memory = createMemoryTable()
    const before = [service(web, []), service(other, ['192.0.2.20:80'])]
    const plan = await planFor(memory, before, [service(web, [refusing])])
    assert.deepEqual(codes(await applyInOrder(memory, plan, never)), ['EINVAL', 'ok'])
    assert.equal(memory.services().has(serviceKeyOf(other)), false)
  })
  it('rejects when the table cannot be asked', async () => {
    const memory = createMemoryTable()
    const plan = await planFor(memory, [], [service(web, [])])
    await assert.rejects(applyInOrder(memory, plan, AbortSignal.abort()), TableError)
  })
})
