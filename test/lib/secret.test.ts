import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { Secret } from '../../src/lib/secret.ts'

describe('Secret', () => {
  it('prints as hidden on every surface and gives the text to the one who asks', () => {
    const secret = new Secret('hunter2')
    const shown = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret)]
    assert.deepEqual(
      shown.filter((s) => s.includes('hunter2')),
      [],
    )
    assert.equal(secret.reveal(), 'hunter2')
  })
})
