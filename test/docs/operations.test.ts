import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'

/** The cells of each row of the table of faults. */
function faults(): readonly (readonly string[])[] {
  const page = readFileSync('docs/operations.md', 'utf8')
  const section = page.split(/^## /m).find((text) => text.startsWith('Faults\n')) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(1).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** The lines of a test file that name its tests and suites. */
function namesIn(file: string): string {
  const named = /\b(?:it|describe)\(\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/g
  return [...readFileSync(file, 'utf8').matchAll(named)].map(([text]) => text.replaceAll("\\'", "'")).join('\n')
}

describe('the table of faults in docs/operations.md', () => {
  it('has what happens and a test for each', () => {
    const rows = faults()
    assert.ok(rows.length > 25, `${rows.length} rows`)
    const incomplete = rows.filter(
      ([fault, happens, , shown, ...more]) => !fault || !happens || !shown || more.length > 0,
    )
    assert.deepEqual(incomplete, [])
  })

  for (const [fault = '', , , shown = ''] of faults()) {
    it(`names tests that there are: ${fault.slice(0, 60)}`, () => {
      for (const mention of shown.split('; ')) {
        const [, file = '', name = ''] = /^`(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(mention) ?? []
        assert.ok(existsSync(file), `no such file in: ${mention}`)
        assert.ok(namesIn(file).includes(name), `no such test: ${mention}`)
      }
    })
  }
})
