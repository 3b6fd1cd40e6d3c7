import assert from 'node:assert/strict'
import { concurrencyLimit, limitFrom } from '../../src/health/concurrency.ts'

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax processes             100                  100                  processes\nMax open files            ${soft.padEnd(20)} 524288               files\n`

describe('how many probes may be in flight', () => {
  const table: readonly (readonly [string, number])[] = [
    ['1024', 240],
    ['256', 48],
    ['100', 16],
    ['10', 16],
    ['4064', 1000],
    ['524288', 1000],
    ['unlimited', 1000],
  ]
  for (const [soft, expected] of table) {
    it(`${expected} with a limit of ${soft} open files`, () => assert.equal(limitFrom(limits(soft)), expected))
  }

  it('16 when the limit cannot be told', () => assert.equal(limitFrom(''), 16))

  it('is read from this process', () => {
    const limit = concurrencyLimit()
    assert.ok(limit >= 16 && limit <= 1000)
  })
})
