import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const GOLDEN_FOLDER = 'test/golden'

/**
 * One case per file: notes (`;; `), the input, a line of dashes, what is expected of it. In the input ⇥ is a TAB, ␍ a
 * CR, ␠ a blank, ⟨BOM⟩ a byte order mark, ␃ at its end "no final newline".
 */
export interface GoldenCase {
  readonly name: string
  readonly path: string
  readonly notes: readonly string[]
  /** Everything before the dashes, as the file has it. */
  readonly head: string
  /** The input as ldirectord-ng would read it. */
  readonly input: string
  readonly expected: string
}

export function readGoldenCases(): readonly GoldenCase[] {
  const files = readdirSync(GOLDEN_FOLDER).filter((name) => name.endsWith('.cf-case'))
  return files.sort().map((name) => readCase(name))
}

function readCase(file: string): GoldenCase {
  const path = join(GOLDEN_FOLDER, file)
  const text = readFileSync(path, 'utf8')
  const dashes = text.lastIndexOf('\n-----\n')
  const head = text.slice(0, dashes)
  const lines = head.split('\n')
  const notes = lines.filter((line) => line.startsWith(';; ')).map((line) => line.slice(3))
  const input = inputBytes(lines.slice(notes.length).join('\n'))
  const expected = text.slice(dashes + '\n-----\n'.length).trimEnd()
  return { name: file.replace('.cf-case', ''), path, notes, head, input, expected }
}

function inputBytes(shown: string): string {
  const text = shown.replaceAll('⇥', '\t').replaceAll('␍', '\r').replaceAll('␠', ' ').replaceAll('⟨BOM⟩', '\ufeff')
  return text.endsWith('␃') ? text.slice(0, -1) : `${text}\n`
}
