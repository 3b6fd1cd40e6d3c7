import { type Program, peers, programs, timeoutSeconds } from './programs.ts'
import { type Effort, type LabResults, median, type NativeResults, type PerProgram } from './results.ts'
import { sizes } from './sizes.ts'

export interface Run {
  readonly lab: LabResults | undefined
  readonly native: NativeResults
  readonly date: string
  readonly node: string
  readonly version: string
  readonly cores: number
  /** Of one minute, when the run began and when it ended. */
  readonly load: readonly [number, number]
}

const quietLoad = 1.5

/** Low enough for figures that are worth keeping; what the lab itself adds is in the second one. */
export const isQuiet = ([before, after]: readonly [number, number]): boolean =>
  before <= quietLoad && after <= quietLoad + 1

/** docs/benchmarks.md. */
export function wordReport(run: Run): string {
  const { date, node, version, cores, load, lab } = run
  const [before, after] = load.map((value) => value.toFixed(1))
  return `# Benchmarks

Written by \`npm run bench\` on ${date}: ldirectord-ng ${version}, Node ${node}; ${cores} cores, load ${before} when it began
and ${after} when it ended${isQuiet(load) ? '' : ' (others used the machine, so times and CPU are too high)'}. Medians; in parentheses what that is of ours: above 1 it took more than ours.

${lab === undefined ? 'The lab could not be run, so nothing is compared here.\n' : wordLab(lab)}
## On the host itself

${wordNative(run.native)}`
}

function wordLab(lab: LabResults): string {
  const present = programs.filter((program) => !lab.missing.includes(program))
  const names = present.map((program) => `${peers[program].title} ${lab.versions[program] ?? ''}`.trim())
  const missing = lab.missing.map(
    (program) => `${peers[program].title} is not installed (\`${peers[program].needs?.package}\`).\n`,
  )
  const medians = (samples: PerProgram<number[]>): PerProgram<number> => mapped(samples, median)
  const row = (what: string, values: PerProgram<number>, word: Word, notes: PerProgram<string> = {}): string =>
    `| ${what} | ${present.map((program) => cell({ program, values, word, note: notes[program] })).join(' | ')} |`
  return `## Side by side in the kernel lab

${names.join(', ')}, each with an IPVS table of its own in one kernel (user-mode Linux
${lab.kernel}, one core), before the same servers.
${missing.map((line) => `\n${line}`).join('')}
| | ${present.map((program) => peers[program].title).join(' | ')} |
|---|${present.map(() => '---').join('|')}|
${row('A dead server is out of the table after', medians(lab.detectionMs), seconds)}
${row('CPU per 1,000 http probes', mapped(lab.cpuPerThousand.http, perThousand), (value) => `${value.toFixed(2)} s`)}
${row('CPU per 1,000 connect probes', mapped(lab.cpuPerThousand.connect, perThousand), (value) => `${value.toFixed(2)} s`)}
${row('Start to complete table', medians(lab.startMs), seconds, unlike)}
${row('Reload, one weight changed', medians(lab.reloadMs), seconds, unlike)}
${row('Memory after a minute (PSS)', lab.pssKib, mebibytes, unlike)}

- **A dead server**: ${sizes.detection} real servers with an http check every second and ${timeoutSeconds} s to answer, ${sizes.silent} of them accept and say nothing; one
  that worked stops to listen, ${sizes.kills} times.
- **CPU**: user and system, children included, at rest with ${sizes.atRest} healthy real servers (Perl: ${sizes.perl}), one check a second each;
  probes as the servers counted them. What a program does beside probing is in it, so more real servers would cost less each.
- **Start, reload, memory**: one virtual service with ${sizes.large} real servers, a connect check every ten seconds. Perl ldirectord has ${sizes.perl},
  unchecked (\`checktype=on\`): it starts processes for each, and its start grows faster than their number. Its figures there have no
  ratio. keepalived puts servers in before it has checked them, ours after.
- **About the lab**: in user-mode Linux a system call costs 12 µs and a new process 20 to 35 ms. What starts processes (Perl ldirectord calls
  \`ipvsadm\`) looks several times worse than on a usual kernel, above all in start and reload. CPU is sampled there at 100 Hz: trust one
  figure, hardly two.
- keepalived is written in C and has no runtime to carry; CPU, start and memory show it.
`
}

function wordNative({ probesPerCpuSecond, atRest }: NativeResults): string {
  const round = (value: number): string => String(Math.round(value / 100) * 100)
  return `| | ldirectord-ng |
|---|---|
| connect probes per CPU second | ${round(probesPerCpuSecond.connect)} |
| http probes per CPU second | ${round(probesPerCpuSecond.http)} |
| ${atRest.reals} real servers at rest, http every 10 s (${atRest.probesPerSecond.toFixed(0)} probes/s): CPU | ${atRest.cpuPercent.toFixed(1)} % of a core |
| the same: memory (RSS) | ${(atRest.rssKib / 1024).toFixed(0)} MiB |

The table is in memory, the servers are another process and not counted.
`
}

const perThousand = ({ probes, cpuSeconds }: Effort): number => (1000 * cpuSeconds) / probes

function mapped<From>(values: PerProgram<From>, change: (value: From) => number): PerProgram<number> {
  return Object.fromEntries(Object.entries(values).map(([program, value]) => [program, change(value)]))
}

type Word = (value: number) => string

const seconds: Word = (ms) => `${(ms / 1000).toFixed(2)} s`
const mebibytes: Word = (kib) => `${(kib / 1024).toFixed(0)} MiB`

/** What was measured under other conditions gets no ratio, but says which. */
const unlike: PerProgram<string> = { perl: `${sizes.perl} real servers` }

interface Cell {
  readonly program: Program
  readonly values: PerProgram<number>
  readonly word: Word
  readonly note: string | undefined
}

function cell({ program, values, word, note }: Cell): string {
  const { [program]: value, ours } = values
  if (value === undefined) return '–'
  if (note !== undefined) return `${word(value)} (${note})`
  return program === 'ours' || ours === undefined ? word(value) : `${word(value)} (${ratio(value / ours)})`
}

const ratio = (value: number): string => `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)} ×`
