import assert from 'node:assert/strict'
import { createSayOnce } from '../../src/control/say-once.ts'

describe('Saying once', () => {
  it('gives a text when it begins and again only after it was gone', () => {
    const once = createSayOnce()
    assert.deepEqual(once.fresh(['a', 'b', 'a']), ['a', 'b'])
    assert.deepEqual(once.fresh(['b', 'c']), ['c'])
    assert.deepEqual(once.fresh([]), [])
    assert.deepEqual(once.fresh(['b']), ['b'])
    assert.equal(once.clear(), true)
    assert.equal(once.clear(), false)
    assert.deepEqual(once.fresh(['b']), ['b'])
  })
})
