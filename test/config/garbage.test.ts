import assert from 'node:assert/strict'
import { lookUpNames, namesOf } from '../../src/config/names.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { hasErrors } from '../../src/lib/diagnostics.ts'
import { renderDiagnostic } from '../../src/lib/render-diagnostic.ts'
import { readGoldenCases } from './golden-cases.ts'
import { goldenDeps, stubLookup } from './golden-world.ts'

/** Small and the same every time (Numerical Recipes' constants). */
function makeRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PIECES = [
  '"',
  '#',
  '=',
  ' ',
  '\t',
  '\n',
  '\r',
  ':',
  '->',
  '[',
  ']',
  '0',
  '9999999999',
  '-',
  '\0',
  'é',
  '\u2028',
  'l:',
  '/',
  '"/a", "b"',
]

function damage(text: string, random: (below: number) => number): string {
  let result = text
  for (let i = 0; i <= random(4); i++) {
    const at = random(result.length + 1)
    const piece = PIECES[random(PIECES.length)] ?? ''
    result = result.slice(0, at) + piece + result.slice(at + random(3))
  }
  return result
}

async function readDamaged(text: string): Promise<void> {
  const { parsed, diagnostics } = parseConfig(text, 'f', goldenDeps)
  assert.equal(parsed === undefined, hasErrors(diagnostics))
  const lines = text.split('\n')
  for (const diagnostic of diagnostics) {
    const { line, column, length } = diagnostic.at
    assert.ok(line >= 1 && line <= lines.length, `line ${line}`)
    assert.ok(
      column >= 1 && length >= 1 && column + length <= (lines[line - 1] ?? '').length + 2,
      JSON.stringify(diagnostic),
    )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.equal(/[\u0000-\u0009\u000b-\u001f\u2028]/.test(renderDiagnostic(diagnostic, text)), false)
  }
  if (parsed !== undefined) resolveConfig(parsed, await lookUpNames(namesOf(parsed), stubLookup))
}

describe('damaged configurations', () => {
  it('are read to the end, with every diagnostic inside the file and nothing thrown', async () => {
    const random = makeRandom(20_261_121)
    for (const { input } of readGoldenCases()) {
      for (let i = 0; i < 10; i++) {
        const text = damage(input, random)
        await readDamaged(text).catch((error: unknown) => {
          throw new Error(`with ${JSON.stringify(text)}`, { cause: error })
        })
      }
    }
  })

  it('do not take long, however long their lines are', () => {
    const long = 100_000
    const lines = ['a', '"', ' "a"', 'l:', '->', '[', '1.', '"a", '].map(
      (piece) => `    real = ${piece.repeat(long / piece.length)}`,
    )
    const text = `virtual = 10.9.9.1:80\n${lines.join('\n')}\n${'x'.repeat(long)}\n`
    const start = performance.now()
    const { diagnostics } = parseConfig(text, 'f', goldenDeps)
    assert.equal(diagnostics.length, lines.length + 1)
    assert.ok(performance.now() - start < 5000)
  })
})
