import assert from 'node:assert/strict'
import {
  bareValue,
  decodeNumber,
  decodePositive,
  decodeQuoted,
  decodeQuotedOrEmpty,
  decodeQuotedOrRaw,
  decodeRaw,
  decodeSeconds,
  decodeYesNo,
  firstWord,
  makeField,
  spanIn,
} from '../../src/lib/decode.ts'
import { collectDiagnostics, type Reporter } from '../../src/lib/diagnostics.ts'
import type { Directive } from '../../src/lib/fields.ts'

/** `name=value` at line 1, column 1 of a file, TABs widened as in a section. */
function directive(name: string, raw: string): Directive {
  const at = (column: number, length: number) => ({ file: 'f', line: 1, column, length })
  const value = raw.replaceAll('\t', '    ')
  return { name, value, raw, nameAt: at(1, name.length), valueAt: at(name.length + 2, raw.length) }
}

type Decoder<T> = (d: Directive, report: Reporter, message: string) => T | undefined

/** `value`, or `value | what was said`, so that a table can hold both. */
function outcome<T>(decode: Decoder<T>, raw: string): string {
  const report = collectDiagnostics()
  const value = decode(directive('x', raw), report, 'bad x')
  const said = report.diagnostics.map((d) => `${d.severity} ${d.code}`).join(', ')
  return said === '' ? JSON.stringify(value) : `${JSON.stringify(value) ?? 'none'} | ${said}`
}

function table<T>(decode: Decoder<T>, rows: Record<string, string>): void {
  const got = Object.fromEntries(Object.keys(rows).map((raw) => [raw, outcome(decode, raw)]))
  assert.deepEqual(got, rows)
}

describe('value rules', () => {
  it('num takes the first digits and warns where that is not what it reads', () => {
    table(decodeNumber, {
      '7': '7',
      '7   ': '7',
      '"7"': '7',
      '5s': '5',
      '600 seconds': '600',
      '7 # secs': '7',
      '0': '0',
      '00': '0',
      '-5': '5 | warning misread',
      '5.5': '5 | warning misread',
      'about 5s': '5 | warning misread',
      '10 minutes': '10 | warning misread',
      '': 'none | error value',
      none: 'none | error value',
      '99999999999999999999': '2147483647 | warning range',
    })
  })

  it('num+ refuses zero however it is written', () => {
    table(decodePositive, {
      '1': '1',
      '0': 'none | error range',
      '00': 'none | error range',
      '0.5': 'none | warning misread, error range',
    })
  })

  it('seconds stay below what a timer can wait', () => {
    table(decodeSeconds, { '30': '30', '99999999': '2147483 | warning range', x: 'none | error value' })
  })

  it('yesno takes yes and no, blanks and a comment after them, and nothing else', () => {
    table(decodeYesNo, {
      yes: 'true',
      no: 'false',
      'yes  ': 'true',
      'no # not yet': 'false',
      Yes: 'none | error value',
      true: 'none | error value',
      '"yes"': 'none | error value',
      'yes please': 'none | error value',
      'yes#x': 'none | error value',
    })
  })

  it('yesno says which word was meant', () => {
    const report = collectDiagnostics()
    decodeYesNo(directive('quiescent', 'TRUE'), report)
    decodeYesNo(directive('quiescent', 'Off'), report)
    assert.deepEqual(
      report.diagnostics.map((d) => [d.message, d.hint]),
      [
        ["quiescent must be 'yes' or 'no'", 'write quiescent = yes'],
        ["quiescent must be 'yes' or 'no'", 'write quiescent = no'],
      ],
    )
  })

  it('quoted runs to the last quote of the line and keeps backslashes', () => {
    table(decodeQuoted, {
      '"a"': '"a"',
      '"Test" junk': '"Test"',
      '"a" "b"': JSON.stringify('a" "b'),
      '"a\\"b"': JSON.stringify('a\\"b'),
      '"a\tb"': '"a    b"',
      '""': 'none | error value',
      'index.html': 'none | error value',
      '"open': 'none | error value',
    })
    table(decodeQuotedOrEmpty, { '""': '""', '"a"': '"a"', a: 'none | error value' })
  })

  it('does not repeat an unquoted value in the message, for it may be a password', () => {
    const report = collectDiagnostics()
    decodeQuoted(directive('passwd', 'hunter2'), report, 'invalid password')
    assert.equal(JSON.stringify(report.diagnostics).includes('hunter2'), false)
  })

  it('quoted-or-raw and raw keep what stands there, empty is refused', () => {
    table(decodeQuotedOrRaw, {
      '"a b"': '"a b"',
      'a b ': '"a b "',
      '': 'none | error value',
      '""': 'none | error value',
    })
    table(decodeRaw, { '"a b" ': JSON.stringify('"a b" '), a: '"a"', '': 'none | error value' })
  })

  it('word is the first run of letters, digits and underscores, with its place', () => {
    assert.deepEqual(firstWord(directive('service', '  "https"'))?.text, 'https')
    assert.equal(firstWord(directive('service', '\t"https"'))?.at.column, 11)
    assert.equal(firstWord(directive('service', '--')), undefined)
  })

  it('a bare value has no comment and no blanks at its end', () => {
    const bare = ['a # b', 'a#b', '# b', 'a  '].map((raw) => bareValue(directive('x', raw)))
    assert.deepEqual(bare, ['a', 'a#b', '', 'a'])
  })

  it('finds columns behind a TAB, which is one column in the file and four blanks in the value', () => {
    const d = directive('x', 'a\tb')
    assert.deepEqual([spanIn(d, 0, 1).column, spanIn(d, 5, 1).column, spanIn(d, 1, 4).length], [3, 5, 1])
  })

  it('a field gives its default when the directive is absent or wrong', () => {
    const field = makeField<number>({
      doc: 'a number',
      fallback: '3',
      absent: 3,
      decode: (d, report) => decodeNumber(d, report, 'bad'),
    })
    const report = collectDiagnostics()
    const got = [undefined, '7', 'x'].map((raw) => field.decode(raw === undefined ? raw : directive('x', raw), report))
    assert.deepEqual([got, report.diagnostics.length], [[3, 7, 3], 1])
  })
})
