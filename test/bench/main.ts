// npm run bench -- checks: what each check costs. Without it: ours beside Perl ldirectord and keepalived in one boot of the kernel lab, then ours on the host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../src/lib/errors.ts'
import { readArguments } from './arguments.ts'
import { benchChecks } from './checks/command.ts'
import { measureNatively } from './native.ts'
import { isThere, peers, programs } from './programs.ts'
import { isQuiet, wordReport } from './report.ts'
import type { LabResults } from './results.ts'
import { keepChecksSection } from './sections.ts'

const report = 'docs/benchmarks.md'

/** Undefined when the lab cannot be run here; it has said why. */
async function measureInLab(): Promise<LabResults | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  const file = join(directory, 'results.json')
  const guest = fileURLToPath(new URL('guest.js', import.meta.url))
  try {
    const words = ['test/kernel/lab/run.mjs', '--timeout', '560', 'node', guest]
    const lab = spawn(process.execPath, words, { stdio: 'inherit', env: { ...process.env, LAB_RESULTS: file } })
    const [code] = await once(lab, 'exit')
    return code === 0 ? (JSON.parse(readFileSync(file, 'utf8')) as LabResults) : undefined
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function benchAll(): Promise<void> {
  const [before = 0] = loadavg()
  if (!isQuiet([before, before]))
    console.log(`the load is ${before.toFixed(1)}: other programs run, and the figures will suffer`)
  for (const program of programs.filter((each) => !isThere(each))) {
    const { title, needs } = peers[program]
    console.log(`${title} is left out: apt-get install --no-install-recommends ${needs?.package}`)
  }
  console.log('in the lab, four to five minutes')
  const lab = await measureInLab()
  const [after = 0] = loadavg()
  console.log('on the host, about a minute')
  const native = await measureNatively()
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const text = wordReport({
    lab,
    native,
    version,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: availableParallelism(),
    load: [before, after],
  })
  if (lab === undefined) console.log(`the lab did not end well: ${report} is left as it is`)
  else writeFileSync(report, keepChecksSection(text, existsSync(report) ? readFileSync(report, 'utf8') : ''))
  console.log(`\n${text}`)
}

try {
  const wish = readArguments(process.argv.slice(2))
  await (wish.what === 'checks' ? benchChecks(wish, report) : benchAll())
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
