import { type Effort, median } from '../results.ts'

/** What one service cost both, round by round. */
export interface ServiceCost {
  readonly service: string
  /** Its name and version; empty for a command. */
  readonly server: string
  readonly ours: readonly Effort[]
  /** Absent where Perl ldirectord could not be measured. */
  readonly perl?: readonly Effort[]
}

export interface ChecksRun {
  readonly costs: readonly ServiceCost[]
  readonly rounds: number
  readonly date: string
  readonly version: string
  readonly perlVersion: string
  readonly node: string
  readonly cores: number
  readonly load: readonly [number, number]
  readonly isQuiet: boolean
}

/** The part of docs/benchmarks.md. */
export function wordChecks(run: ChecksRun): string {
  const [before, after] = run.load.map((value) => value.toFixed(1))
  return `## Checks per CPU second, beside Perl ldirectord

Written by \`npm run bench -- checks\` on ${run.date}: ldirectord-ng ${run.version}, Node ${run.node}, Perl ldirectord ${run.perlVersion};
${run.cores} cores, load ${before} when it began and ${after} when it ended${run.isQuiet ? '' : ' (others used the machine)'}. Median of ${run.rounds} rounds; in parentheses the
lowest and the highest. *Ratio*: ours by Perl's; above 1 ours does more with the same CPU.

${wordTable(run.costs)}

- Both ask the same real server in turn, a round of the one and then a round of the other; who is not measured is stopped or idle.
  Servers are on IPv4 loopback in a network namespace and not counted. Every check succeeded.
- **Counted** is user and system time of the whole process, all threads, with the children that it started (\`ping\`, \`external\`).
  Ours: a process with the daemon's runner, one check at a time, after 2.5 s of warm-up; garbage collector and compiler are in it.
  Perl ldirectord: the daemon as it is shipped, at rest, with one virtual service per check in a round; its loop is in it. Neither
  start nor IPVS is: a stand-in for \`ipvsadm\` takes what is written at the start.
- A TLS service means a full handshake for each check. Times of children come in ticks of 10 ms, so \`external\` and \`ping\` are rough.
- \`ping\`: ours starts the system's \`ping\`, Perl ldirectord sends from its own raw socket. \`external-perl\`: Perl ldirectord runs the
  script in itself, ours starts Perl for it, so that a script cannot harm the daemon.
- Where a server takes 10 ms and more for a check (Dovecot, Exim), our process has done few of them when it is measured, and wakes
  up anew for each line: that, and no one part of the check, is what the profile of \`pop\` shows.
- Not here: \`oracle\`, for which no server exists, and \`none\`, which asks nobody. Ours checks many servers at once, Perl ldirectord one after
  the other, and real servers with the same check share a run of ours: this table has neither advantage in it.
`
}

export function wordTable(costs: readonly ServiceCost[]): string {
  const head = '| Service | Server | ldirectord-ng | Perl ldirectord | Ratio |\n|---|---|---|---|---|'
  return [head, ...costs.map(rowOf)].join('\n')
}

function rowOf({ service, server, ours, perl }: ServiceCost): string {
  const ratio = perl === undefined ? '–' : `${(typical(ours) / typical(perl)).toPrecision(2)} ×`
  return `| \`${service}\` | ${server} | ${spread(ours)} | ${perl === undefined ? '–' : spread(perl)} | ${ratio} |`
}

const rate = ({ probes, cpuSeconds }: Effort): number => probes / cpuSeconds

const typical = (rounds: readonly Effort[]): number => median(rounds.map(rate))

/** `2740 (2600–2810)`, to three digits: more would be noise. */
function spread(rounds: readonly Effort[]): string {
  const rates = rounds.map(rate)
  return `${short(typical(rounds))} (${short(Math.min(...rates))}–${short(Math.max(...rates))})`
}

const short = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '?')
