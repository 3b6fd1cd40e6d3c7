// The lab stage: every test file in a kernel of its own, as many kernels at a time as there are cores, two at most.
//
// The launcher is called as `node test/kernel/lab/run.mjs --core N -- PROGRAM ARGUMENT…`: it boots a kernel on that core,
// runs the program there as root, in the same folder and with CI and NODE_V8_COVERAGE of its environment, prints
// what it prints, and ends with its status. It stays in its process group, so that the run can end it with all it started.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { runProgram } from './process.mjs'
import { MOCHA, reporterArgs, runMocha } from './stages.mjs'
import { readTotals, sum } from './totals.mjs'

const LAUNCHER = 'test/kernel/lab/run.mjs'
const KERNEL = '/usr/bin/linux.uml'

/**
 * Runs each file in a fresh boot. Without the user-mode kernel all of its tests count as skipped.
 *
 * @param {readonly string[]} files
 * @param {{ mochaArgs: readonly string[], echo: boolean, deadlineMs: number, env: Record<string, string> }} options
 *   the deadline is that of one file
 */
export async function runInLab(files, options) {
  if (!existsSync(KERNEL)) return skipAll(files, options)
  await bundleForLab()
  // The comparison takes longest by far: begun last, it would run alone at the end.
  const isLong = (file) => file.startsWith('dist/test/peers/')
  const waiting = [...files.filter(isLong), ...files.filter((file) => !isLong(file))]
  const done = []
  const work = async (core) => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      done.push(await runBoot(file, core, options))
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, (_, core) => work(core)))
  const failed = done.filter(({ totals }) => totals.failed > 0)
  return {
    totals: sum(done.map(({ totals }) => totals)),
    output: failed.map(({ file, output }) => `--- ${file}\n${output}`).join('\n'),
    ended: failed.map(({ file, ended }) => `${file} ${ended}`).join(', '),
  }
}

/** What the tests start as the program; see test/kernel/lab/director.ts. */
async function bundleForLab() {
  const folder = resolve('dist/lab')
  rmSync(folder, { recursive: true, force: true })
  const { bundleCheckout } = await import('../../dist/package/bundle.js')
  await bundleCheckout(resolve('.'), folder)
  writeFileSync(join(folder, 'package.json'), readFileSync('package.json'))
}

/** One boot, pinned to one core: each system call of the guest is a round trip between two processes of the host. */
async function runBoot(file, core, { mochaArgs, echo, deadlineMs, env }) {
  // In the checkout, which the guest sees as it is; its /tmp may be its own.
  const scratch = mkdtempSync(resolve('dist', 'lab-'))
  const totals = join(scratch, 'totals.json')
  try {
    const mocha = [process.execPath, MOCHA, '--exit', ...reporterArgs(totals, !echo), ...mochaArgs, file]
    const args = [LAUNCHER, '--core', String(core), '--', ...mocha]
    const { output, ended } = await runProgram(process.execPath, args, { deadlineMs, env, echo })
    return { file, totals: readTotals(totals, ended), output, ended }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A dry run counts the tests without running one. */
async function skipAll(files, { mochaArgs, deadlineMs }) {
  const args = [...mochaArgs, '--dry-run']
  const { totals, output, ended } = await runMocha(files, { mochaArgs: args, echo: false, deadlineMs, env: {} })
  const reason = 'there is no linux.uml: apt-get install user-mode-linux'
  const skipped = Array.from({ length: totals.passed }, (_, at) => ({ title: `kernel test ${at + 1}`, reason }))
  return { totals: { ...totals, passed: 0, skipped: [...totals.skipped, ...skipped] }, output, ended }
}
