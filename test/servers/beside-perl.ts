import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { check } from '../../src/cli/check.ts'
import type { CheckReport } from '../../src/cli/check-report.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemLookup } from '../../src/config/names.ts'
import { readServices } from '../../src/config/services.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { askPerl, type PerlVerdict, withConfig } from './perl.ts'

export type Phase = 'serving' | 'stopped' | 'killed'

/** One real server in one state, as both programs are asked. */
export interface Case {
  readonly service: string
  /** As the page words it. */
  readonly state: string
  readonly phase: Phase
  readonly port: number
  /** Directives of the section. */
  readonly lines: readonly string[]
  /** Trusted by Perl's libraries. */
  readonly certificate?: string
  /** What ours has to say. */
  readonly ours: 'up' | 'down'
  /** Where Perl says something else, and why that is no mistake of ours. */
  readonly differs?: Difference
}

export interface Difference {
  readonly perl: PerlVerdict
  readonly why: string
}

export interface Outcome {
  readonly perl: PerlVerdict
  /** `up`, `down timeout` … */
  readonly ours: string
  readonly detail: string
}

/** Time-outs in the file. A wrong password is answered after two seconds, twice; a frozen server never. */
const seconds: Readonly<Record<Phase, number>> = { serving: 4, stopped: 1, killed: 4 }

/** Perl's time: for a verdict, on a busy machine too; and until it counts as silent, ten times the time-out in the file. */
const patienceMs = { verdict: 30_000, silence: 10_000 }

/** The same file to both programs, one after the other: neither is to wait for what the other asked. */
export function compare(asked: Case): Promise<Outcome> {
  const limitMs = asked.differs?.perl === 'no verdict' ? patienceMs.silence : patienceMs.verdict
  return withConfig(configOf(asked), async (file, directory) => {
    const perl = await askPerl({ file, directory, limitMs, certificate: asked.certificate })
    return { perl, ...(await askOurs(file)) }
  })
}

function configOf({ port, lines, phase }: Case): string {
  const section = [`real = 127.0.0.1:${port} masq`, ...lines, 'monitorfile = "@DIR@/monitor"']
  const head = ['checktimeout', 'negotiatetimeout'].map((name) => `${name} = ${seconds[phase]}`)
  return `${head.join('\n')}\nlogfile = "@DIR@/log"\nvirtual = 192.0.2.1:1\n${section.map((line) => `    ${line}\n`).join('')}\n`
}

/** `check --json`, as the command does it. */
async function askOurs(config: string): Promise<{ ours: string; detail: string }> {
  const out: string[] = []
  const err: string[] = []
  const registry = makeRegistry(checks)
  const deps = { registry, services: readServices(), hostname: 'test', lookup: systemLookup }
  await check(
    {
      clock: systemClock,
      registry,
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      isTerminal: false,
      openTable: () => Promise.reject(new Error('check touches no table')),
      load: (file) => loadConfig(file, deps),
      signal: new AbortController().signal,
    },
    { config, json: true },
  )
  if (out.length === 0) throw new Error(err.join(''))
  const { virtuals }: CheckReport = JSON.parse(out.join(''))
  const real = virtuals[0]?.reals[0]
  if (real === undefined) throw new Error(`no real server in ${out.join('')}`)
  return { ours: real.reason === null ? real.verdict : `${real.verdict} ${real.reason}`, detail: real.detail }
}

/** `work` on every item, so many at a time; the answers in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) answers[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: width }, worker))
  return answers
}
