import assert from 'node:assert/strict'
import { createMemoryTable } from '../../src/backend/memory.ts'
import { planOf } from '../../src/cli/plan.ts'
import { type Config, realKeyOf } from '../../src/config/model.ts'
import { type CheckResult, down, unknown, up } from '../../src/model/verdict.ts'
import { formatOperation } from '../../src/table/notation.ts'
import { configOf, createStage, vip, virtual } from '../control/stage.ts'

const stage = createStage()
const signal = new AbortController().signal
const settings = { scheduler: 'rr', schedulerFlags: 0, persistence: undefined, onePacket: false }

async function plan(config: Config, result: CheckResult, table = createMemoryTable()): Promise<string[]> {
  const actual = await table.read(new Set(config.virtuals.map((v) => v.key)), signal)
  const observations = new Map(
    config.virtuals.flatMap((v) => v.reals.map((r) => [realKeyOf(v, r), { result, at: 0, durationMs: 0 }] as const)),
  )
  return planOf(config, actual, observations).steps.map((s) => `${formatOperation(s.operation)} # ${s.reason}`)
}

describe('A plan', () => {
  const config = configOf([virtual({ reals: [stage.real('10.0.0.1')], fallback: '10.0.0.9' })])

  it('says what a start on an empty table would add, with reasons', async () => {
    assert.deepEqual(await plan(config, up('assumed up')), [
      '-A -t 192.0.2.1:80 -s rr # the virtual service is not in the table',
      '-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1 -x 0 -y 0 # assumed up',
    ])
    assert.deepEqual(await plan(config, down('timeout', 'assumed down')), [
      '-A -t 192.0.2.1:80 -s rr # the virtual service is not in the table',
      '-a -t 192.0.2.1:80 -r 10.0.0.9:80 -m -w 1 -x 0 -y 0 # no real server is up',
    ])
  })

  it('is empty when the table is right, and leaves what could not be determined as it stands', async () => {
    const table = createMemoryTable()
    const destination = { address: '10.0.0.1', port: 80, forwarding: 'masq', weight: 1, upper: 0, lower: 0 } as const
    await table.apply([{ kind: 'add-service', id: vip, settings }], signal)
    await table.apply([{ kind: 'add-destination', id: vip, destination }], signal)
    assert.deepEqual(await plan(config, up(''), table), [])
    assert.deepEqual(await plan(config, unknown('missing-tool', ''), table), [])
  })
})
