import assert from 'node:assert/strict'
import * as fields from '../../src/check/fields.ts'
import { collectDiagnostics } from '../../src/lib/diagnostics.ts'
import type { Field } from '../../src/lib/fields.ts'
import { Secret } from '../../src/lib/secret.ts'

/** Decodes `name = value` of line 2, whose value begins in column 20; the outcome, and what was said with its column. */
function decode<T>(field: Field<T>, value: string | undefined): { value: T; said: readonly string[] } {
  const report = collectDiagnostics()
  const at = (column: number, length: number) => ({ file: 'x.cf', line: 2, column, length })
  const directive =
    value === undefined ? undefined : { name: 'name', value, nameAt: at(5, 4), valueAt: at(20, value.length) }
  const decoded = field.decode(directive, report)
  const said = report.diagnostics.map((d) => `${d.severity}[${d.code}] ${d.at.column}+${d.at.length}: ${d.message}`)
  return { value: decoded, said }
}

const unquoted = 'error[value] 20+1: Unknown command: the value of name must stand in double quotes'

describe('the directives of checks', () => {
  const rows: readonly (readonly [string, Field<unknown>, string | undefined, unknown, string?])[] = [
    ['request absent', fields.request, undefined, { text: '/', perReal: false }],
    ['request', fields.request, '"index.html"', { text: '/index.html', perReal: false }],
    ['request with slash', fields.request, '"/a" junk', { text: '/a', perReal: false }],
    ['request with a quote inside', fields.request, '"a" "b"', { text: '/a" "b', perReal: false }],
    [
      'request empty',
      fields.request,
      '""',
      { text: '/', perReal: false },
      'error[value] 20+2: no request string specified',
    ],
    ['request unquoted', fields.request, 'a', { text: '/', perReal: false }, unquoted],
    ['receive absent', fields.receive, undefined, undefined],
    ['receive empty', fields.receive, '""', undefined, 'error[value] 20+2: invalid receive string'],
    ['receive unquoted', fields.receive, 'a', undefined, unquoted],
    [
      'receive broken',
      fields.receive,
      '"ab(c"',
      undefined,
      'error[pattern] 23+2: invalid receive pattern: ( is not closed',
    ],
    [
      'receive broken after an accent',
      fields.receive,
      '"\xe9[x"',
      undefined,
      'error[pattern] 22+2: invalid receive pattern: [ is not closed',
    ],
    ['httpmethod absent', fields.httpmethod, undefined, 'GET'],
    ['httpmethod quoted, lower case', fields.httpmethod, '"head"', 'HEAD'],
    ['httpmethod other', fields.httpmethod, 'POST', 'GET', 'error[value] 20+4: httpmethod must be GET or HEAD'],
    ['httpmethod none', fields.httpmethod, '""', 'GET', 'error[value] 20+2: httpmethod must be GET or HEAD'],
    ['virtualhost absent', fields.virtualhost, undefined, undefined],
    ['virtualhost with blanks', fields.virtualhost, 'www.x.y.z   ', 'www.x.y.z   '],
    ['virtualhost quoted', fields.virtualhost, '"www.x.y.z"  junk', 'www.x.y.z'],
    ['virtualhost empty', fields.virtualhost, '', ''],
    ['login absent', fields.login, undefined, ''],
    ['login', fields.login, '"bob"', 'bob'],
    ['login empty', fields.login, '""', '', 'error[value] 20+2: invalid login string'],
    ['database', fields.database, '"db"', 'db'],
    ['database empty', fields.database, '""', '', 'error[value] 20+2: invalid database'],
    ['checkcommand absent', fields.checkcommand, undefined, '/bin/true'],
    ['checkcommand quoted', fields.checkcommand, '"/bin/x y"', '/bin/x y'],
    ['checkcommand raw', fields.checkcommand, '/bin/x y', '/bin/x y'],
    ['checkcommand empty', fields.checkcommand, '', '/bin/true', 'error[value] 20+0: invalid check command'],
    ['checkcount absent', fields.checkcount, undefined, 1],
    ['checkcount', fields.checkcount, '3', 3, 'warning[deprecated] 5+4: checkcount option is deprecated'],
  ]
  for (const [name, field, value, expected, said] of rows) {
    it(name, () => {
      assert.deepEqual(decode(field, value), { value: expected, said: said === undefined ? [] : [said] })
    })
  }

  it('checkcount 0 is refused', () => {
    const { value, said } = decode(fields.checkcount, '0')
    assert.equal(value, 1)
    assert.equal(said[0], 'error[range] 20+1: invalid check count')
  })

  for (const [name, field, message] of [
    ['passwd', fields.passwd, 'invalid password'],
    ['secret', fields.secret, 'invalid secret'],
  ] as const) {
    it(`${name} is kept hidden`, () => {
      const { value, said } = decode(field, '"hunter2"')
      assert.ok(value instanceof Secret)
      assert.deepEqual([value.reveal(), String(value), said], ['hunter2', '(hidden)', []])
      assert.equal(decode(field, undefined).value.isEmpty, true)
      assert.deepEqual(decode(field, '""').said, [`error[value] 20+2: ${message}`])
      assert.deepEqual(
        decode(field, 'hunter2').said.filter((text) => text.includes('hunter2')),
        [],
      )
    })
  }

  it('receive is a pattern, and one for the built-in engine is remarked on', () => {
    const plain = decode(fields.receive, '"Test" junk')
    assert.deepEqual([plain.value?.source, plain.value?.engine, plain.said], ['Test', 'linear', []])
    const slow = decode(fields.receive, '"a(?=b)"')
    assert.equal(slow.value?.engine, 'backtracking')
    assert.deepEqual(slow.said, [
      'warning[pattern] 21+6: this pattern cannot be matched in linear time (look-ahead): only the first 65536 bytes of a reply are searched, and not for long',
    ])
  })

  it('the pattern of a pair may be empty, which is none', () => {
    const report = collectDiagnostics()
    const place = (offset: number, length: number) => ({ file: 'x.cf', line: 3, column: 30 + offset, length })
    assert.equal(fields.decodePattern('', place, report), undefined)
    assert.equal(fields.decodePattern('a)', place, report), undefined)
    assert.deepEqual(
      report.diagnostics.map((d) => [d.code, d.at.column]),
      [['pattern', 31]],
    )
  })

  it('the request of a pair knows that it is one', () => {
    assert.deepEqual(fields.makeRequest('x', true), { text: '/x', perReal: true })
  })
})
