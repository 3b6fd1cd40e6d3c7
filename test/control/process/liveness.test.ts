import assert from 'node:assert/strict'
import { dueOf, look, newVigil, type Progress, stuckLoop } from '../../../src/control/process/liveness.ts'
import { configOf, createStage, virtual } from '../stage.ts'

const { real } = createStage()
const due = { passesMs: 60_000, checksMs: 20_000 }
const at = (passes: number, runs: number, overruns = 0): Progress => ({ passes, runs, overruns })

/** Looks every ten seconds. */
function stuckAfter(...looks: readonly Progress[]): string | undefined {
  const [first = at(0, 0), ...rest] = looks
  return stuckLoop(
    rest.reduce((vigil, seen) => look(vigil, seen, 10_000), newVigil(first)),
    due,
  )
}

describe('Whether the loops are alive', () => {
  it('is so while passes end and checks begin', () => {
    assert.equal(stuckAfter(at(0, 0), at(2, 5), at(4, 9), at(6, 9), at(8, 10)), undefined)
  })

  it('is so while checks are due that wait for silent servers', () => {
    assert.equal(stuckAfter(at(0, 3), at(2, 3, 3), at(4, 3, 6), at(6, 3, 9), at(8, 3, 12)), undefined)
  })

  it('is over when no check has been due for longer than it can be', () => {
    assert.equal(stuckAfter(at(0, 3), at(2, 3), at(4, 3)), undefined)
    assert.equal(stuckAfter(at(0, 3), at(2, 3), at(4, 3), at(6, 3)), 'no check has begun for 30 s')
  })

  it('is over when no pass has ended for a minute, and not before', () => {
    const looks = [0, 1, 2, 3, 4, 5, 6].map((n) => at(7, n))
    assert.equal(stuckAfter(...looks), undefined)
    assert.equal(stuckAfter(...looks, at(7, 7)), 'no pass over the IPVS table for 70 s')
    assert.equal(stuckAfter(...looks, at(8, 7)), undefined)
  })

  it('asks for a check within twice the shortest interval and its jitter, and some time to make up', () => {
    const slow = virtual({ reals: [real('10.0.0.1')], checkIntervalMs: 60_000 })
    const quick = virtual({ reals: [real('10.0.0.2')], checkIntervalMs: 5_000, checkJitterMs: 1_000 })
    assert.deepEqual(dueOf(configOf([slow, quick])), { passesMs: 60_000, checksMs: 21_000 })
  })

  it('asks for no check where none probes, and lives on passes alone', () => {
    const idle = virtual({ reals: [{ ...real('10.0.0.1'), checking: { kind: 'on' } }], checkIntervalMs: 1_000 })
    const none = dueOf(configOf([idle, virtual()]))
    assert.deepEqual(none, { passesMs: 60_000, checksMs: undefined })
    const vigil = look(newVigil(at(1, 0)), at(2, 0), 3_600_000)
    assert.equal(stuckLoop(vigil, none), undefined)
  })
})
