import assert from 'node:assert/strict'
import {
  connectsAfter,
  cycleKeyOf,
  firstConnectsLeft,
  isProbing,
  type Probing,
  probeOf,
} from '../../src/health/cycle.ts'
import { up, type Verdict } from '../../src/model/verdict.ts'
import { fakeProbe } from './fakes.ts'

const negotiate = fakeProbe('negotiate', async () => up(''))
const connect = fakeProbe('connect', async () => up(''))
const combined = (connects: number): Probing => ({ kind: 'combined', connects, negotiate, connect })

/** The names of the probes that run, given what each finds: + up, - down, ? unknown. */
function runs(checking: Probing, verdicts: string): string {
  const meaning: Readonly<Record<string, Verdict>> = { '+': 'up', '-': 'down', '?': 'unknown' }
  let left = firstConnectsLeft
  return [...verdicts]
    .map((sign) => {
      const { name } = probeOf(checking, left).check
      left = connectsAfter(checking, left, meaning[sign] ?? assert.fail())
      return name.slice(0, 3)
    })
    .join(' ')
}

describe('the combined check', () => {
  const table: readonly (readonly [string, number, string, string])[] = [
    ['does N connects after each negotiate that succeeded', 2, '+++++++', 'neg con con neg con con neg'],
    ['negotiates every time with 0', 0, '+++-+', 'neg neg neg neg neg'],
    ['negotiates after a connect that failed', 3, '++-++', 'neg con con neg con'],
    ['repeats a negotiate that failed', 2, '---++', 'neg neg neg neg con'],
    ['repeats what could not be told', 2, '?+?+?++', 'neg neg con con con con neg'],
  ]
  for (const [name, connects, verdicts, expected] of table) {
    it(name, () => assert.equal(runs(combined(connects), verdicts), expected))
  }

  it('is shared by those with the same negotiate, connect and number, and with nobody else', () => {
    const plain: Probing = { kind: 'probe', probe: negotiate }
    const all = [combined(2), combined(3), { ...combined(2), connect: negotiate } as Probing, plain]
    assert.equal(new Set(all.map(cycleKeyOf)).size, 4)
    assert.equal(cycleKeyOf(combined(2)), cycleKeyOf(combined(2)))
    assert.equal(cycleKeyOf(plain), negotiate.key)
  })
})

describe('a plain probe', () => {
  it('runs the same each time', () => assert.equal(runs({ kind: 'probe', probe: connect }, '+-?+'), 'con con con con'))
})

describe('what has a probe at all', () => {
  it('is everything but on, off and unresolved', () => {
    assert.ok(isProbing(combined(1)))
    assert.ok(!isProbing({ kind: 'on' }) && !isProbing({ kind: 'off' }))
    assert.ok(!isProbing({ kind: 'unresolved', detail: '' }))
  })
})
