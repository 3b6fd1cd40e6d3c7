import assert from 'node:assert/strict'
import { didYouMean, suggest } from '../../src/lib/suggest.ts'

const names = ['checktimeout', 'checktype', 'request', 'receive', 'real', 'quiescent', 'rr', 'wrr', 'wlc']

describe('suggestions', () => {
  it('find the word that was meant, over typos of every kind and over case', () => {
    const typos = ['chektimeout', 'checktypee', 'requset', 'recieve', 'Real', 'QUIESCENT', 'wcl']
    assert.deepEqual(
      typos.map((word) => suggest(word, names)),
      ['checktimeout', 'checktype', 'request', 'receive', 'real', 'quiescent', 'wlc'],
    )
  })

  it('say nothing when no word is near', () => {
    const far = ['telnet', 'x', '', 'bogus', 'a'.repeat(10_000)]
    assert.deepEqual(
      far.map((word) => suggest(word, names)).filter((word) => word !== undefined),
      [],
    )
  })

  it('are worded as a question', () => {
    assert.equal(didYouMean('requset', names), 'did you mean "request"?')
    assert.equal(didYouMean('telnet', names), undefined)
  })
})
