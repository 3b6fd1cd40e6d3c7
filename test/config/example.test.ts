import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseConfig } from '../../src/config/parse.ts'
import { goldenDeps } from './golden-world.ts'

const example = readFileSync('etc/ldirectord.cf', 'utf8')
/** A commented line of configuration has no blank behind its `#`, or the four of a section. */
const isConfiguration = (line: string): boolean => /^#([a-z]| {4}[a-z0-9]+ =)/.test(line)

/** Runs of commented configuration, uncommented. */
function stanzas(): readonly string[] {
  const runs: string[][] = [[]]
  for (const line of example.split('\n')) {
    if (isConfiguration(line)) runs.at(-1)?.push(line.slice(1))
    else runs.push([])
  }
  return runs.filter((run) => run.length > 0).map((run) => `${run.join('\n')}\n`)
}

function load(text: string) {
  const { parsed, diagnostics } = parseConfig(text, 'etc/ldirectord.cf', goldenDeps)
  return { virtuals: parsed?.virtuals.length, said: diagnostics.map((d) => `${d.at.line}: ${d.message}`) }
}

describe('the example configuration', () => {
  it('is valid as it is installed, and does nothing', () => {
    assert.deepEqual(load(example), { virtuals: 0, said: [] })
    assert.deepEqual(
      example.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
      [],
    )
  })

  it('has stanzas for the everyday cases', () => {
    const text = stanzas().join('')
    const wanted = [
      'http',
      'https',
      'mysql',
      'connect',
      'ping',
      'external',
      'persistent',
      'virtual6',
      'virtual = 1\n',
      '->',
    ]
    assert.deepEqual(
      wanted.filter((word) => !text.includes(word)),
      [],
    )
  })

  for (const stanza of stanzas()) {
    it(`loads without a remark with this alone: ${stanza.split('\n')[0]}`, () => {
      assert.deepEqual(load(stanza), { virtuals: stanza.match(/^virtual/gm)?.length ?? 0, said: [] })
    })
  }

  it('loads with every stanza at once', () => {
    const all = example
      .split('\n')
      .map((line) => (isConfiguration(line) ? line.slice(1) : line))
      .join('\n')
    assert.deepEqual(load(all).said, [])
  })
})
