import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { checks } from '../../checks/index.ts'
import { allProofs, versionOf } from '../servers/proved.ts'
import { hasSkipped } from '../tools/skip.ts'
import { cellsOf, foot, head, rowOf } from './services-page.ts'

const page = 'docs/services.md'

/** The rows of the page by service. */
function readRows(): Map<string, string> {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  return new Map(rows.map((row) => [/`(.+?)`/.exec(row)?.[1] ?? '', row]))
}

/** Runs after the tests with real servers, in their process: what they recorded is here. */
describe('docs/services.md', () => {
  const services = checks.filter(({ kind }) => kind === 'negotiate').map(({ name }) => name)
  const shown = (version: (debianPackage: string) => string): Map<string, string> => {
    const rows = checks.map((check) => [check.name, rowOf(check, allProofs(), version)] as const)
    return new Map(rows.filter((row): row is readonly [string, string] => row[1] !== undefined))
  }

  before(function () {
    this.timeout(60_000)
    if (process.env['UPDATE_DOCS'] !== '1' || allProofs().length === 0) return
    const rows = new Map([...readRows(), ...shown(versionOf)])
    const sorted = checks.map(({ name }) => rows.get(name)).filter((row) => row !== undefined)
    writeFileSync(page, `${head}${sorted.join('\n')}\n${foot}`)
  })

  it('is made by the tests: its words around the table', () => {
    const text = readFileSync(page, 'utf8')
    assert.ok(text.startsWith(head) && text.endsWith(foot))
  })

  it('has a row for every service and for nothing else', () => {
    const rows = [...readRows().keys()]
    assert.deepEqual(
      services.filter((name) => !rows.includes(name)),
      [],
    )
    assert.deepEqual(
      rows.filter((name) => !checks.some((check) => check.name === name)),
      [],
    )
  })

  it('says what this run has shown; after a whole run that and no more', () => {
    const isWhole = process.env['WHOLE_RUN'] === '1' && !hasSkipped()
    const rows = readRows()
    for (const [name, row] of shown(() => '')) {
      const [now, told] = [cellsOf(row), cellsOf(rows.get(name) ?? '')]
      if (isWhole) assert.deepEqual(told, now)
      for (const column of [3, 6]) {
        const known = told[column]?.split(', ') ?? []
        const unknown = now[column]?.split(', ').filter((word) => word !== '' && !known.includes(word))
        assert.deepEqual(unknown, [], `${name}: not on the page`)
      }
    }
  })
})
