import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { lookUpNames, namesOf } from '../../src/config/names.ts'
import { inFileOrder, parseConfig } from '../../src/config/parse.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { dumpConfig } from '../config/dump.ts'
import { readGoldenCases } from '../config/golden-cases.ts'
import { goldenDeps, stubLookup } from '../config/golden-world.ts'

/**
 * A note `;; perl: err 4: text` is what Perl ldirectord says (behaviour reference 8.1): the case must then have that
 * error at that line, unless it has a note `;; differs: …`. With UPDATE_GOLDEN=1 the expectations are written anew;
 * read the difference before committing it.
 */
interface Outcome {
  readonly shown: string
  readonly errors: readonly string[]
}

async function run(text: string): Promise<Outcome> {
  const { parsed, diagnostics } = parseConfig(text, 'ldirectord.cf', goldenDeps)
  let all = diagnostics
  let model: readonly string[] = []
  if (parsed !== undefined) {
    const resolved = resolveConfig(parsed, await lookUpNames(namesOf(parsed), stubLookup))
    all = inFileOrder([...diagnostics, ...resolved.diagnostics])
    model = dumpConfig(resolved.config)
  }
  const said = all.map((d) => {
    const hint = d.hint === undefined ? '' : ` (${d.hint})`
    return `${d.at.line}:${d.at.column}+${d.at.length} ${d.severity} ${d.code} ${d.message}${hint}`
  })
  const errors = all.filter((d) => d.severity === 'error').map((d) => `err ${d.at.line}: ${d.message}`)
  return { shown: [...said, ...model].join('\n'), errors }
}

function assertAgreesWithPerl(notes: readonly string[], errors: readonly string[]): void {
  const perl = notes.find((note) => note.startsWith('perl: '))?.slice('perl: '.length)
  if (perl === undefined || notes.some((note) => note.startsWith('differs: '))) return
  if (!perl.startsWith('err ')) {
    assert.deepEqual(errors, [], 'Perl ldirectord loads this')
    return
  }
  const isSaid = errors.some((error) => error.startsWith(perl))
  assert.ok(isSaid, `Perl ldirectord says "${perl}", here: ${JSON.stringify(errors)}`)
}

describe('golden configurations', () => {
  const cases = readGoldenCases()

  it('are many, and every row of the appendix of the behaviour reference is among them', () => {
    assert.ok(cases.length >= 140, `only ${cases.length}`)
    const rows = new Set(cases.map(({ name }) => /^row-(\d+)/.exec(name)?.[1]).filter((row) => row !== undefined))
    assert.equal(rows.size, 126)
  })

  for (const { name, path, notes, head, input, expected } of cases) {
    it(name.replaceAll('-', ' '), async () => {
      const { shown, errors } = await run(input)
      assertAgreesWithPerl(notes, errors)
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, `${head}\n-----\n${shown}\n`)
      else assert.equal(shown, expected)
    })
  }
})
