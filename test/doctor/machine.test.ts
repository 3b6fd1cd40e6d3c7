import assert from 'node:assert/strict'
import { thisMachine } from '../../src/doctor/machine.ts'

describe('Asking this machine', () => {
  it('gives what a program prints, and says when there is none or it fails', async () => {
    const machine = thisMachine()
    assert.deepEqual(await machine.run('echo', ['a  b', '$HOME']), { kind: 'ran', stdout: 'a  b $HOME\n' })
    assert.deepEqual(await machine.run('no-such-program-here', []), { kind: 'absent' })
    assert.deepEqual(await machine.run('sh', ['-c', 'echo first >&2; echo second >&2; exit 3']), {
      kind: 'failed',
      reason: 'sh: first',
    })
  })

  it('does not take what is endless', async () => {
    const result = await thisMachine().run('yes', [])
    assert.equal(result.kind, 'failed')
  })
})
