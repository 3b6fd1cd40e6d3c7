import assert from 'node:assert/strict'
import { isWellFormed } from '../../../src/check/pgsql/message.ts'
import { failure, message, oneRow, row } from '../../checks/pgsql-peer.ts'

const bytes = (...parts: readonly (string | number | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(typeof part === 'number' ? [part] : (part as string))))
const eighteen = Array.from({ length: 18 }, () => 7)

/** Messages of the PostgreSQL manual, Message Formats, and the same cut short. */
const cases: readonly [title: string, letter: string, body: Buffer, isWhole: boolean][] = [
  ['an error with its fields', 'E', bytes('SFATAL', 0, 'C28P01', 0, 'Mno', 0, 0), true],
  ['an error without fields', 'E', bytes(0), true],
  ['an error of nothing', 'E', bytes(), false],
  ['an error whose last field has no end', 'E', bytes('SFATAL', 0, 'Mno'), false],
  ['an error without the last zero', 'E', bytes('SFATAL', 0), false],
  ['a notice', 'N', bytes('SNOTICE', 0, 0), true],
  ['a notice whose text has no end', 'N', bytes('SNOTICE'), false],
  ['a parameter and its value', 'S', bytes('TimeZone', 0, 'UTC', 0), true],
  ['a parameter without a value', 'S', bytes('TimeZone', 0), false],
  ['a parameter whose value has no end', 'S', bytes('TimeZone', 0, 'UTC'), false],
  ['a notification', 'A', bytes([0, 0, 0, 1], 'channel', 0, 'text', 0), true],
  ['a notification without a text', 'A', bytes([0, 0, 0, 1], 'channel', 0), false],
  ['a notification of three bytes', 'A', bytes([0, 0, 1]), false],
  ['the end of a command', 'C', bytes('SELECT 1', 0), true],
  ['the end of a command without an end', 'C', bytes('SELECT 1'), false],
  ['the end of a command, empty', 'C', bytes(), false],
  ['no columns', 'T', bytes([0, 0]), true],
  ['one column', 'T', bytes([0, 1], 'n', 0, eighteen), true],
  ['two columns', 'T', bytes([0, 2], 'n', 0, eighteen, 'm', 0, eighteen), true],
  ['a column that is told of and not there', 'T', bytes([0, 2], 'n', 0, eighteen), false],
  ['a column that is cut short', 'T', bytes([0, 1], 'n', 0, eighteen.slice(1)), false],
  ['a column whose name has no end', 'T', bytes([0, 1], 'name'), false],
  ['a count of columns that is cut short', 'T', bytes([0]), false],
  ['a count of columns below zero', 'T', bytes([0xff, 0xff]), true],
  ['a welcome', 'R', bytes([0, 0, 0, 0]), true],
  ['a question for a password', 'R', bytes([0, 0, 0, 5, 1, 2, 3, 4]), true],
  ['a question for nothing', 'R', bytes([0, 0, 3]), false],
  ['ways to log in', 'R', bytes([0, 0, 0, 10], 'SCRAM-SHA-256', 0, 0), true],
  ['ways to log in without the last zero', 'R', bytes([0, 0, 0, 10], 'SCRAM-SHA-256', 0), false],
  ['ways to log in of which one has no end', 'R', bytes([0, 0, 0, 10], 'SCRAM-SHA-256'), false],
  ['no ways to log in', 'R', bytes([0, 0, 0, 10]), false],
  ['a message that has no text', 'Z', bytes('I'), true],
]

describe('whether a PostgreSQL message is well-formed', () => {
  for (const [title, letter, body, isWhole] of cases) {
    it(`${isWhole ? 'yes' : 'no'}: ${title}`, () => {
      assert.equal(isWellFormed(message(letter, body)), isWhole)
    })
  }

  it('yes: what the scripted server says', () => {
    assert.ok(isWellFormed(failure('57P03', 'starting up')))
    assert.ok(isWellFormed(row))
    assert.ok(isWellFormed(oneRow.subarray(0, 1 + oneRow.readUInt32BE(1))))
  })

  it('no, soon, and without an error: every message cut short anywhere', () => {
    for (const [, letter, body, isWhole] of cases) {
      if (!isWhole) continue
      for (let length = 0; length < body.length; length++) isWellFormed(message(letter, body.subarray(0, length)))
    }
  })
})
