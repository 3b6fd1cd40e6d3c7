import assert from 'node:assert/strict'
import { commentStart } from '../../src/config/comment.ts'
import { lex } from '../../src/config/lexer.ts'
import { collectDiagnostics } from '../../src/lib/diagnostics.ts'

function read(text: string) {
  const report = collectDiagnostics()
  const { globals, sections } = lex(text, 'f', report)
  return {
    globals: globals.map(({ name, value }) => `${name}=${value}`),
    sections: sections.map(({ opener, directives }) => [
      opener.value,
      ...directives.map((d) => `${d.name}=${d.value}`),
    ]),
    faults: report.diagnostics.map((d) => `${d.at.line}:${d.at.column} ${d.code}`),
  }
}

describe('lexer', () => {
  it('tells top-level directives from those of sections', () => {
    assert.deepEqual(read('a = 1\nvirtual=v:1\n    b=2\n\tc = 3\nd=4\nvirtual6=w:1\n     e=5\n'), {
      globals: ['a=1', 'd=4'],
      sections: [
        ['v:1', 'b=2', 'c=3'],
        ['w:1', 'e=5'],
      ],
      faults: [],
    })
  })

  it('keeps # and blanks at the end of a top-level value, cuts comments in a section', () => {
    assert.deepEqual(read('a = 1 # x \nvirtual=v:1 # y\n    b=2 # z\n'), {
      globals: ['a=1 # x '],
      sections: [['v:1 # y', 'b=2 ']],
      faults: [],
    })
  })

  it('reads past every fault and says each once', () => {
    assert.deepEqual(read('a 1\n b=2\n%%\nvirtual=v:1\n  c=3\n\n    d=4\n    e=5\n    f\n'), {
      globals: ['b=2'],
      sections: [['v:1', 'c=3', 'd=4', 'e=5']],
      faults: [
        '1:1 unknown-directive',
        '2:2 indentation',
        '3:1 unknown-directive',
        '5:3 indentation',
        '7:5 indentation',
        '9:5 unknown-directive',
      ],
    })
  })

  it('keeps a section open over comments of any indentation and over long blank lines only', () => {
    const read1 = (line: string) => read(`virtual=v:1\n    a=1\n${line}\n    b=2\n`).faults
    assert.deepEqual(['#', '  # c', '     ', '\t\t', ' \t '].map(read1), [[], [], [], [], []])
    assert.deepEqual(['', '    ', '\t', '  '].map(read1), Array(4).fill(['4:5 indentation']))
  })

  it('gives places in columns of the file, a TAB being one', () => {
    const report = collectDiagnostics()
    const { sections } = lex('virtual = v:1\r\n\t\treal =\t1.2.3.4\tgate\r\n', 'f', report)
    const [directive] = sections[0]?.directives ?? []
    assert.deepEqual(
      [directive?.nameAt, directive?.valueAt, directive?.value, sections[0]?.opener.valueAt],
      [
        { file: 'f', line: 2, column: 3, length: 4 },
        { file: 'f', line: 2, column: 10, length: 12 },
        '1.2.3.4    gate',
        { file: 'f', line: 1, column: 11, length: 3 },
      ],
    )
  })

  it('counts columns behind a byte order mark from 1', () => {
    const report = collectDiagnostics()
    lex('\ufeff bad=1', 'f', report)
    assert.equal(report.diagnostics[0]?.at.column, 2)
  })

  it('never repeats the value of a line that it does not understand', () => {
    const report = collectDiagnostics()
    lex('passwd "hunter2"\n  passwd = "hunter2"\n"hunter2"\nsupervised hunter2\n', 'f', report)
    assert.equal(report.diagnostics.length, 4)
    assert.equal(JSON.stringify(report.diagnostics).includes('hunter2'), false)
  })

  it('finds where a comment begins', () => {
    const rows: Record<string, string> = {
      '    request="a#b" # c': '    request="a#b" ',
      '    request="a" # "b"': '    request="a" ',
      '    request="a#b': '    request="a',
      '    request="a" "b#c"': '    request="a" "b',
      '    comment=5" # "x"': '    comment=5" ',
      '    real=h:1 gate 1 "a", "b#c" # d': '    real=h:1 gate 1 "a", "b#c" ',
      '    no directive # here': '    no directive ',
    }
    const got = Object.fromEntries(Object.keys(rows).map((line) => [line, line.slice(0, commentStart(line))]))
    assert.deepEqual(got, rows)
  })
})
