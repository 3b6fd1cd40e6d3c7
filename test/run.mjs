// `npm test`: lint, build, unit tests, tests against real servers, tests in the kernel lab, coverage, the sum.
// CONTRIBUTING.md tells what arguments do.
import { reportCoverage, startCoverage } from './tools/coverage.mjs'
import { runInLab } from './tools/lab.mjs'
import { runProgram } from './tools/process.mjs'
import { choose, parseRequest } from './tools/request.mjs'
import { pruneBuild, runMocha, stageOf, testFiles } from './tools/stages.mjs'
import { noTests, sum, wordTotals } from './tools/totals.mjs'

const BIN = 'node_modules/.bin'
const MINUTE_MS = 60_000
const DEADLINE_MS = { tool: 5 * MINUTE_MS, unit: 8 * MINUTE_MS, servers: 6 * MINUTE_MS, lab: 6 * MINUTE_MS }
const inCi = !['', '0', 'false'].includes(process.env.CI ?? '')

const say = (line) => process.stdout.write(`${line}\n`)

/** Prints the one line of a stage that has ended. */
function sayStage(name, startedAt, words) {
  say(`${name.padEnd(9)} ${words.padEnd(42)} ${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`)
}

/** A stage that is one program: silent when it succeeds, told in full when not. */
async function runTool(name, command, args, advice) {
  const startedAt = Date.now()
  const { ok, output, ended } = await runProgram(`${BIN}/${command}`, args, { deadlineMs: DEADLINE_MS.tool })
  if (ok) {
    sayStage(name, startedAt, 'ok')
    return true
  }
  say(output.trimEnd())
  sayStage(name, startedAt, `FAILED: ${command} ${ended}. ${advice}`)
  return false
}

const checkStyle = () =>
  runTool('lint', 'biome', ['check', '--error-on-warnings', '.'], '`npm run format` mends what can be mended')

function build() {
  pruneBuild()
  return runTool('build', 'tsc', ['-p', 'test/tsconfig.json'], '')
}

/** Runs the files of one stage and says how it went. */
async function runStage(name, files, { mochaArgs, echo, env }) {
  const startedAt = Date.now()
  const run = name === 'lab' ? runInLab : runMocha
  const { totals, output, ended } = await run(files, { mochaArgs, echo, env, deadlineMs: DEADLINE_MS[name] })
  const failed = totals.failed > 0
  if (failed && !echo) say(output.trimEnd())
  if (ended !== '' && failed) say(`${name}: ${ended}`)
  for (const { title, reason } of totals.skipped) say(`  skipped: ${title} (${reason})`)
  sayStage(name, startedAt, `${failed ? 'FAILED: ' : ''}${wordTotals(totals)}`)
  return totals
}

/** Runs the stages in order up to the first that fails. */
async function runStages(request, options) {
  const done = []
  const files = choose(testFiles(), request.paths)
  for (const name of request.stages) {
    const own = files.filter((file) => stageOf(file) === name)
    // In a whole run a stage without tests means that they got lost, not that all is well.
    if (own.length === 0 && !request.whole) continue
    if (own.length === 0) say(`${name}: no test files`)
    const totals = own.length === 0 ? { ...noTests(), failed: 1 } : await runStage(name, own, options)
    done.push(totals)
    if (totals.failed > 0) break
  }
  return sum(done)
}

async function checkCoverage() {
  const startedAt = Date.now()
  const { ok, lines, output } = await reportCoverage()
  if (!ok && output !== '') say(output.trimEnd())
  sayStage('coverage', startedAt, `${ok ? '' : 'FAILED: '}${lines[0]}`)
  for (const line of lines.slice(1)) say(line)
  return ok
}

/** The sum line stands alone and last; what failed without being a test counts as one failure in it. */
function finish(totals, ok) {
  const counted = ok || totals.failed > 0 ? totals : { ...totals, failed: 1 }
  const skipsCount = inCi && counted.skipped.length > 0
  if (skipsCount) say('In CI a skipped test fails the run.')
  if (counted.failed === 0 && counted.passed === 0) say('No test ran.')
  say(`\n${wordTotals(counted)}`)
  process.exitCode = counted.failed > 0 || counted.passed === 0 || skipsCount ? 1 : 0
}

async function main() {
  const request = parseRequest(process.argv.slice(2))
  if (request.whole && !(await checkStyle())) return finish(noTests(), false)
  if (request.build && !(await build())) return finish(noTests(), false)
  const env = request.whole ? { ...startCoverage(), WHOLE_RUN: '1' } : {}
  const totals = await runStages(request, { mochaArgs: request.mochaArgs, echo: request.echo, env })
  const ok = totals.failed === 0 && (!request.whole || (await checkCoverage()))
  finish(totals, ok)
}

await main()
