import assert from 'node:assert/strict'
import { type Health, type Observation, type Step, step, type Thresholds } from '../../src/health/machine.ts'
import { type CheckResult, down, unknown, up } from '../../src/model/verdict.ts'

const good = up('200')
const bad = down('refused', 'connection refused')
const unsure = unknown('local-resource', 'too many open files')
const results: Readonly<Record<string, CheckResult>> = { good, bad, unsure }

/** What the state must be after the observation at `at`: state, since, failures, successes. */
type Line = readonly [
  seen: keyof typeof results,
  state: Health['state'],
  since: number,
  failures: number,
  successes: number,
  told?: Omit<Step, 'health'>,
]

interface Scenario {
  readonly name: string
  readonly from: Health
  readonly thresholds: Thresholds
  /** One observation every 10 ms, the first at 10. */
  readonly lines: readonly Line[]
}

const pending: Health = { state: 'pending', since: 0, failures: 0, successes: 0 }
const adopted: Health = { state: 'up', since: 0, failures: 0, successes: 0 }
const isDown: Health = { state: 'down', since: 0, failures: 3, successes: 0 }
const thrice: Thresholds = { failureCount: 3, successCount: 1 }
const once: Thresholds = { failureCount: 1, successCount: 1 }
const slowly: Thresholds = { failureCount: 2, successCount: 3 }
const wentUp = { change: 'up' } as const
const wentDown = { change: 'down' } as const
const backUp = { change: 'up', failuresReset: true } as const
const reset = { failuresReset: true } as const
const soft = (failures: number) => ({ softFailure: { failures } })

const scenarios: readonly Scenario[] = [
  {
    name: 'the first success brings a pending real in, whatever the success count',
    from: pending,
    thresholds: slowly,
    lines: [
      ['good', 'up', 10, 0, 0, wentUp],
      ['good', 'up', 10, 0, 0],
    ],
  },
  {
    name: 'the first failure makes a pending real known to be down, whatever the failure count',
    from: pending,
    thresholds: thrice,
    lines: [
      ['bad', 'down', 10, 1, 0, wentDown],
      ['bad', 'down', 10, 1, 0],
      ['good', 'up', 30, 0, 0, backUp],
    ],
  },
  {
    name: 'an unknown leaves a pending real pending',
    from: pending,
    thresholds: once,
    lines: [
      ['unsure', 'pending', 0, 0, 0],
      ['unsure', 'pending', 0, 0, 0],
      ['good', 'up', 30, 0, 0, wentUp],
    ],
  },
  {
    name: 'failurecount 1: each failure takes out and each success brings back',
    from: adopted,
    thresholds: once,
    lines: [
      ['bad', 'down', 10, 1, 0, wentDown],
      ['good', 'up', 20, 0, 0, backUp],
      ['bad', 'down', 30, 1, 0, wentDown],
      ['bad', 'down', 30, 1, 0],
    ],
  },
  {
    name: 'failurecount 3: two soft failures, then out',
    from: adopted,
    thresholds: thrice,
    lines: [
      ['bad', 'up', 0, 1, 0, soft(1)],
      ['bad', 'up', 0, 2, 0, soft(2)],
      ['bad', 'down', 30, 3, 0, wentDown],
      ['bad', 'down', 30, 3, 0],
      ['good', 'up', 50, 0, 0, backUp],
    ],
  },
  {
    name: 'a success in between starts the count again',
    from: adopted,
    thresholds: thrice,
    lines: [
      ['bad', 'up', 0, 1, 0, soft(1)],
      ['bad', 'up', 0, 2, 0, soft(2)],
      ['good', 'up', 0, 0, 0, reset],
      ['good', 'up', 0, 0, 0],
      ['bad', 'up', 0, 1, 0, soft(1)],
      ['bad', 'up', 0, 2, 0, soft(2)],
      ['bad', 'down', 70, 3, 0, wentDown],
    ],
  },
  {
    name: 'an unknown neither counts as a failure nor ends a row of them',
    from: adopted,
    thresholds: thrice,
    lines: [
      ['bad', 'up', 0, 1, 0, soft(1)],
      ['unsure', 'up', 0, 1, 0],
      ['bad', 'up', 0, 2, 0, soft(2)],
      ['unsure', 'up', 0, 2, 0],
      ['unsure', 'up', 0, 2, 0],
      ['bad', 'down', 60, 3, 0, wentDown],
      ['unsure', 'down', 60, 3, 0],
    ],
  },
  {
    name: 'a success count of 3: two are not enough, and a failure starts it again',
    from: isDown,
    thresholds: slowly,
    lines: [
      ['good', 'down', 0, 0, 1, reset],
      ['good', 'down', 0, 0, 2],
      ['bad', 'down', 0, 0, 0],
      ['good', 'down', 0, 0, 1],
      ['unsure', 'down', 0, 0, 1],
      ['good', 'down', 0, 0, 2],
      ['good', 'up', 70, 0, 0, wentUp],
      ['bad', 'up', 70, 1, 0, soft(1)],
      ['bad', 'down', 90, 2, 0, wentDown],
    ],
  },
  {
    name: 'a failure count that a reload lowered below the row so far: the next failure decides',
    from: { ...adopted, failures: 5 },
    thresholds: once,
    lines: [['bad', 'down', 10, 6, 0, wentDown]],
  },
]

describe('the health of a real server', () => {
  for (const { name, from, thresholds, lines } of scenarios) {
    it(name, () => {
      let health = from
      lines.forEach(([seen, state, since, failures, successes, told = {}], index) => {
        const at = (index + 1) * 10
        const result = results[seen] ?? assert.fail()
        const observation: Observation = { result, at, durationMs: 1 }
        const taken = step(health, observation, thresholds)
        const expected: Health = { state, since, failures, successes, last: observation }
        assert.deepEqual(taken, { health: expected, ...told }, `observation ${index + 1}`)
        health = taken.health
      })
    })
  }

  it('leaves the value it was given as it was', () => {
    const before = Object.freeze({ ...adopted })
    step(before, { result: bad, at: 1, durationMs: 1 }, once)
    assert.deepEqual(before, adopted)
  })
})
