import assert from 'node:assert/strict'
import { facilityNumber } from '../../src/lib/facility.ts'

describe('syslog facilities', () => {
  it('have the numbers of syslog.h, and nothing else is one', () => {
    assert.deepEqual(['daemon', 'auth', 'security', 'local0', 'local7'].map(facilityNumber), [3, 4, 4, 16, 23])
    assert.deepEqual(['local8', 'toString', '', 'LOCAL0'].map(facilityNumber), Array(4).fill(undefined))
  })
})
