// The groups of test files, and how a group that needs no kernel lab is run.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from './process.mjs'
import { readTotals } from './totals.mjs'

export const MOCHA = 'node_modules/mocha/bin/mocha.js'
const TESTS = 'dist/test'

/** Which stage runs the files of a folder of dist/test; every other folder is `unit`. */
const STAGE_OF_FOLDER = { servers: 'servers', summary: 'servers', kernel: 'lab', peers: 'lab' }

/** @param {string} file an emitted test, `dist/test/<folder>/…` */
export const stageOf = (file) => STAGE_OF_FOLDER[file.split('/')[2]] ?? 'unit'

/** Every emitted test file, sorted: the order of a run is the same everywhere. */
export function testFiles() {
  if (!existsSync(TESTS)) return []
  return readdirSync(TESTS, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(TESTS, name))
    .sort()
}

/**
 * Removes emitted files whose source is gone (`tsc` never does): a deleted test would go on running.
 * File by file, so that a second run beside this one keeps its files.
 */
export function pruneBuild() {
  for (const top of ['src', 'checks', 'test']) {
    if (!existsSync(join('dist', top))) continue
    for (const name of readdirSync(join('dist', top), { recursive: true })) {
      const emitted = join(top, name)
      const source = emitted.replace(/\.js(\.map)?$/, '.ts')
      if (source !== emitted && !existsSync(source)) rmSync(join('dist', emitted), { force: true })
    }
  }
}

/**
 * Runs mocha over files of one stage in this Node.
 *
 * @param {readonly string[]} files
 * @param {{ mochaArgs: readonly string[], echo: boolean, deadlineMs: number, env: Record<string, string> }} options
 * @returns {Promise<{ totals: import('./totals.mjs').Totals, output: string, ended: string }>}
 */
export async function runMocha(files, { mochaArgs, echo, deadlineMs, env }) {
  const scratch = mkdtempSync(join(tmpdir(), 'ldng-test-'))
  const file = join(scratch, 'totals.json')
  try {
    const args = [MOCHA, ...reporterArgs(file, !echo), ...mochaArgs, ...files]
    const { output, ended } = await runProgram(process.execPath, args, { deadlineMs, env, echo })
    // A process that a signal killed behind mocha's launcher looks like a good end, but has left no totals.
    const why = ended === '' && !existsSync(file) ? 'ended before its last test' : ended
    return { totals: readTotals(file, why), output, ended: why }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The options that make mocha leave its totals in `file`. */
export function reporterArgs(file, quiet) {
  const options = ['--reporter', './test/tools/reporter.cjs', '--reporter-option', `totals=${file}`]
  return quiet ? [...options, '--reporter-option', 'quiet=1'] : options
}
