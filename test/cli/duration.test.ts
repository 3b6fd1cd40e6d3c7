import assert from 'node:assert/strict'
import { formatAge, parseDuration } from '../../src/cli/duration.ts'
import { UsageError } from '../../src/lib/errors.ts'

describe('a duration on the command line', () => {
  const read: readonly (readonly [string, number])[] = [
    ['90', 90_000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ]
  for (const [text, ms] of read) it(`${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms))

  for (const text of ['', '0', '0m', '-5', '5 m', 'soon', '5x', '15m5', '5.5h', '367d', '1e3']) {
    it(`${JSON.stringify(text)} is none`, () => assert.throws(() => parseDuration(text), UsageError))
  }

  const shown: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [-5, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [61_000, '1m1s'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [90_061_000, '1d1h'],
  ]
  for (const [ms, text] of shown) it(`${ms} ms is shown as ${text}`, () => assert.equal(formatAge(ms), text))
})
