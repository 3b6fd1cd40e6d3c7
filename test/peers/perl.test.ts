import { strict as assert } from 'node:assert'
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { tableReader } from '../kernel/lab/director.ts'
import { inOrder } from '../kernel/lab/host.ts'
import { skipBecause } from '../tools/skip.ts'
import { type Arena, type Contestant, openArena, type Program } from './arena.ts'
import { scenarios as allScenarios, type Scenario, type Step } from './scenarios.ts'

const report = 'docs/compared-with-perl.md'
/** More than a round of checks, so that what only passes by is not taken for settled. */
const settledMs = 3000
const patienceMs = { afterChange: 40_000, inAll: 150_000 }
const sideBySide = 3

/** LAB_ONLY=reload runs the scenarios with that word in their names, and leaves the report alone. */
const { LAB_ONLY: only = '' } = process.env
const scenarios = allScenarios.filter(({ name }) => name.includes(only))

type Tables = Readonly<Record<Program, string>>

interface StepResult {
  readonly step: Step
  readonly wanted: Tables
  readonly settled: Tables
}

const asDeclared = ({ settled, wanted }: StepResult): boolean =>
  settled.perl === wanted.perl && settled.ours === wanted.ours

/**
 * Waits until the table is as wanted and has stayed so; gives the table that was there last. A Perl start forks some
 * forty times, which takes long in a busy lab: the patience begins anew with every change.
 */
async function settle({ director }: Contestant, wanted: string): Promise<string> {
  const read = tableReader(director)
  const last = performance.now() + patienceMs.inAll
  let seen = await read()
  let since = performance.now()
  for (;;) {
    const stayed = performance.now() - since
    if (stayed > (seen === wanted ? settledMs : patienceMs.afterChange) || performance.now() > last) return seen
    await delay(300)
    const now = await read()
    if (now !== seen) since = performance.now()
    seen = now
  }
}

async function play(arena: Arena, { config, steps }: Scenario): Promise<{ results: StepResult[]; logs: string }> {
  const stage = await arena.stage(config)
  const [perl, ours] = stage.contestants
  const results: StepResult[] = []
  try {
    for (const step of steps) {
      const wanted: Tables = {
        ours: inOrder(step.table).join('\n'),
        perl: inOrder(step.perl?.table ?? step.table).join('\n'),
      }
      await step.act(stage)
      const [perlTable, ourTable] = await Promise.all([settle(perl, wanted.perl), settle(ours, wanted.ours)])
      results.push({ step, wanted, settled: { perl: perlTable, ours: ourTable } })
    }
    return { results, logs: `${perl.log()}\n--- ours\n${ours.log()}` }
  } finally {
    await stage.close()
  }
}

function wordReport(played: ReadonlyMap<Scenario, readonly StepResult[]>): string {
  const rows = [...played].flatMap(([{ name }, results]) =>
    results.map(({ step, settled }) => {
      const same = settled.perl === settled.ours
      return `| ${name} | ${step.name} | ${same ? 'same' : '**different**'} | ${step.perl?.reason ?? ''} |`
    }),
  )
  return `# Compared with Perl ldirectord

Written by \`test/peers/perl.test.ts\`. Debian's \`ldirectord\` and ours run side by side, each with an IPVS table of its
own in a kernel of the lab, on the same file, before the same servers, through the same steps. After each step both must
have settled; what is compared is the whole of \`ipvsadm -Sn\`. "D…" are the defects of
[differences.md](differences.md).

| Scenario | Step | Table | Why |
|---|---|---|---|
${rows.join('\n')}
`
}

describe('the table, compared with Perl ldirectord', function () {
  this.timeout(600_000)
  let arena: Arena | undefined
  const played = new Map<Scenario, Promise<{ results: StepResult[]; logs: string }>>()

  before(async function () {
    if (!existsSync('/usr/sbin/ldirectord')) skipBecause(this, 'there is no ldirectord: apt-get install ldirectord')
    arena = await openArena()
    const opened = arena
    // They mostly wait, so they share the core; mocha looks at each in its turn.
    const waiting = [...scenarios]
    const starters = new Map<Scenario, () => void>()
    for (const scenario of scenarios) {
      const turn = new Promise<void>((resolve) => starters.set(scenario, resolve))
      const run = turn.then(() => play(opened, scenario))
      run.catch(() => undefined)
      played.set(scenario, run)
    }
    const next = async (): Promise<void> => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        starters.get(each)?.()
        await played.get(each)?.catch(() => undefined)
      }
    }
    for (let n = 0; n < sideBySide; n++) void next()
  })

  after(async () => {
    const all = new Map<Scenario, readonly StepResult[]>()
    for (const [scenario, run] of played) {
      const done = await run.catch(() => undefined)
      if (done?.results.every(asDeclared) === true) all.set(scenario, done.results)
    }
    // Only a whole run in which everything settled tells what is so.
    if (all.size === allScenarios.length) writeFileSync(report, wordReport(all))
    await arena?.close()
  })

  for (const scenario of scenarios) {
    it(`${scenario.name}: settles as declared at every step`, async () => {
      const done = await played.get(scenario)
      assert.ok(done !== undefined)
      const named = (pick: (result: StepResult) => Tables): Record<string, Tables> =>
        Object.fromEntries(done.results.map((result) => [result.step.name, pick(result)]))
      assert.deepEqual(
        named(({ settled }) => settled),
        named(({ wanted }) => wanted),
        done.logs,
      )
    })
  }
})
