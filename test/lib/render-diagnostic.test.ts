import assert from 'node:assert/strict'
import type { Diagnostic } from '../../src/lib/diagnostics.ts'
import { renderDiagnostic, summariseDiagnostics } from '../../src/lib/render-diagnostic.ts'

function fault(line: number, column: number, length: number, parts: Partial<Diagnostic> = {}): Diagnostic {
  const at = { file: '/etc/ha.d/ldirectord.cf', line, column, length }
  return { severity: 'error', code: 'value', message: 'bad', at, ...parts }
}

describe('a diagnostic on a terminal', () => {
  it('has its place, the line, a caret run and the hint', () => {
    const text = 'autoreload = yes\nquiescent = maybe\n'
    const shown = renderDiagnostic(
      fault(2, 13, 5, { message: "quiescent must be 'yes' or 'no'", hint: 'write yes' }),
      text,
    )
    assert.equal(
      shown,
      [
        "/etc/ha.d/ldirectord.cf:2:13: error[value]: quiescent must be 'yes' or 'no'",
        '  | quiescent = maybe',
        '  |             ^^^^^',
        '  hint: write yes',
      ].join('\n'),
    )
  })

  it('stands under the right column behind TABs and a byte order mark', () => {
    const shown = renderDiagnostic(fault(1, 2, 4), '\ufeff\treal = x\r\n').split('\n')
    assert.deepEqual(shown.slice(1), ['  |  real = x', '  |  ^^^^'])
  })

  it('shows only the message when there is no such line', () => {
    assert.equal(renderDiagnostic(fault(9, 1, 1), 'a\n').split('\n').length, 1)
    assert.equal(renderDiagnostic(fault(1, 1, 1, { code: 'file' }), '').split('\n').length, 1)
  })

  it('lets no control character of a file through', () => {
    const evil = 'request = "\u001b[2J\u0007\u009b"\u202e\n'
    const parts = { message: 'bad \u001b[31m', hint: 'or \u0007' }
    const shown = renderDiagnostic(
      { ...fault(1, 11, 6, parts), at: { file: 'a\u001b', line: 1, column: 11, length: 6 } },
      evil,
    )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(shown), false)
    assert.match(shown, /\\x1b\[2J/)
  })

  it('widens the caret run with the escapes under it', () => {
    const [, line = '', carets = ''] = renderDiagnostic(fault(1, 3, 1), 'ab\u0001cd\n').split('\n')
    assert.deepEqual([line, carets], ['  | ab\\x01cd', '  |   ^^^^'])
  })

  it('cuts a long line around the place', () => {
    const text = `${'a'.repeat(5000)}X${'b'.repeat(5000)}\n`
    const [, line = '', carets = ''] = renderDiagnostic(fault(1, 5001, 1), text).split('\n')
    assert.ok(line.length < 120)
    assert.equal(line[carets.indexOf('^')], 'X')
    assert.match(line, /^ {2}\| …a+Xb+…$/)
  })

  it('hides passwords, also under a mistyped name, unquoted, misindented or commented', () => {
    const lines = [
      '    passwd = "hunter2"',
      'passwd=hunter2',
      '  secret = "hunter2" x',
      '    paswd = "hunter2"',
      '    pasword = "hunter2"',
      'smtppaswd = "hunter2"',
      'smtpasword hunter2',
      '# passwd hunter2',
      'alertwebhok = "https://hooks.example.com/hunter2"',
      '    request = "http://name:hunter2@proxy.example.com/"',
    ]
    for (const line of lines) {
      for (const column of [1, 5, line.indexOf('hunter2') + 1]) {
        const shown = renderDiagnostic(fault(1, column, 30), `${line}\n`)
        assert.equal(shown.includes('hunter'), false, shown)
        assert.match(shown, /\(hidden\)/)
      }
    }
  })

  it('does not tell how long a hidden value is', () => {
    const runs = ['a', 'a'.repeat(30)].map((value) => {
      const line = `    passwd = ${value}`
      return renderDiagnostic(fault(1, 14, value.length), line)
    })
    assert.equal(runs[0], runs[1])
  })

  it('counts at the end', () => {
    const warning = fault(1, 1, 1, { severity: 'warning' })
    assert.deepEqual([[], [fault(1, 1, 1)], [warning, warning], [fault(1, 1, 1), warning]].map(summariseDiagnostics), [
      undefined,
      '1 error',
      '2 warnings',
      '1 error, 1 warning',
    ])
  })
})
