import assert from 'node:assert/strict'
import { defaultRounds, readArguments } from './arguments.ts'

describe('the arguments of npm run bench', () => {
  it('are none for the whole benchmark', () => {
    assert.deepEqual(readArguments([]), { what: 'all' })
  })

  it('ask for the checks, for all of them as often as usual, or for some as often as is said', () => {
    assert.deepEqual(readArguments(['checks']), { what: 'checks', rounds: defaultRounds, only: undefined })
    assert.deepEqual(readArguments(['checks', '--only', 'http,dns', '--rounds', '1']), {
      what: 'checks',
      rounds: 1,
      only: ['http', 'dns'],
    })
  })

  for (const words of [
    'check',
    'checks --rounds',
    'checks --rounds 0',
    'checks --rounds x',
    'checks --only',
    'checks http',
  ]) {
    it(`are refused with the usage: ${words}`, () => {
      assert.throws(() => readArguments(words.split(' ')), /usage: npm run bench/)
    })
  }
})
