// Line coverage of src and checks, from what every process of the run left under NODE_V8_COVERAGE.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { runProgram } from './process.mjs'

/** Per cent of lines that must have run, over all files. */
const FLOOR = 90
const FOLDER = 'coverage'

/** What the stages get as environment; the old data goes, for it tells of another build. */
export function startCoverage() {
  rmSync(FOLDER, { recursive: true, force: true })
  return { NODE_V8_COVERAGE: resolve(FOLDER, 'raw') }
}

/** Emitted files without a statement (only types in the source): nothing ever loads them, nothing in them can run. */
function typesOnly() {
  const emitted = ['dist/src', 'dist/checks'].flatMap((top) =>
    readdirSync(top, { recursive: true }).map((name) => join(top, name)),
  )
  return emitted.filter((name) => {
    if (!name.endsWith('.js')) return false
    const code = readFileSync(name, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    return code.split('\n').every((line) => /^\s*(\/\/.*|export \{\};)?\s*$/.test(line))
  })
}

/**
 * Reports and judges: `ok` is false below the floor and when c8 itself failed.
 * The full report stands in coverage/index.html.
 *
 * @returns {Promise<{ ok: boolean, lines: string[], output: string }>}
 */
export async function reportCoverage() {
  const args = ['node_modules/c8/bin/c8.js', 'report', '--all', '--merge-async']
  args.push('--temp-directory', `${FOLDER}/raw`, '--reports-dir', FOLDER)
  for (const emitted of ['dist/src', 'dist/checks']) args.push('--src', emitted, '--include', `${emitted}/**`)
  for (const source of ['src', 'checks']) args.push('--include', `${source}/**`)
  for (const emitted of typesOnly()) {
    args.push('--exclude', emitted, '--exclude', emitted.replace(/^dist\/(.*)\.js$/, '$1.ts'))
  }
  for (const reporter of ['json-summary', 'html']) args.push('--reporter', reporter)
  const { ok, output } = await runProgram(process.execPath, args, {
    deadlineMs: 300_000,
    env: { NODE_V8_COVERAGE: '' },
  })
  if (!ok) return { ok, lines: ['c8 failed'], output }
  const { total, ...files } = JSON.parse(readFileSync(`${FOLDER}/coverage-summary.json`, 'utf8'))
  const low = Object.entries(files)
    .filter(([, file]) => file.lines.pct < FLOOR)
    .sort(([, a], [, b]) => a.lines.pct - b.lines.pct)
    .map(([name, file]) => `  ${String(file.lines.pct).padStart(6)} %  ${relative('.', name)}`)
  const enough = Number(total.lines.pct) >= FLOOR && Object.keys(files).length > 0
  return { ok: enough, lines: [`${total.lines.pct} % of lines (floor ${FLOOR} %)`, ...low], output: '' }
}
